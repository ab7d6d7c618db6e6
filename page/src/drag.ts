// Presses on the picture: one finger or the mouse moves it, two fingers also zoom, and a short one is a click.

import type { View } from "./view.ts";

/** A press that moves less is a click. */
const STILL = 4;

/** Fingers nearer than that say nothing about zoom. */
const NEAR = 10;

interface Point {
  x: number;
  y: number;
}

/** Lets presses on `canvas` move `view`; `scroll` moves the rows by pixels, `click` acts on a point. */
export function drag(
  view: View,
  canvas: HTMLCanvasElement,
  scroll: (pixels: number) => void,
  click: (x: number, y: number) => void,
): void {
  const down = new Map<number, Point>();
  let moved = 0;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    down.set(event.pointerId, pointOf(event));
    if (down.size === 1) moved = 0;
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId);
    if (before === undefined) return;
    const now = pointOf(event);
    moved += Math.abs(now.x - before.x) + Math.abs(now.y - before.y);
    down.set(event.pointerId, now);
    if (moved < STILL) return;
    const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
    if (other) return pinch(view, canvas, other, before, now);
    view.pan(((before.x - now.x) / canvas.clientWidth) * view.span);
    scroll(before.y - now.y);
  });
  const release = (event: PointerEvent) => {
    const isClick = down.delete(event.pointerId) && moved < STILL && event.type === "pointerup";
    if (isClick) click(event.offsetX, event.offsetY);
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
}

function pointOf({ offsetX, offsetY }: PointerEvent): Point {
  return { x: offsetX, y: offsetY };
}

/** One finger went on while another stayed: what is below that one stays there. */
function pinch(view: View, canvas: HTMLCanvasElement, fixed: Point, before: Point, now: Point): void {
  const [old, fresh] = [Math.abs(before.x - fixed.x), Math.abs(now.x - fixed.x)];
  if (old > NEAR && fresh > NEAR) view.zoom(old / fresh, view.time(fixed.x, canvas.clientWidth));
}
