// The mouse, the wheel and fingers on the picture: zoom where the pointer is, drag to move, click to choose.

import { brush } from "./brush.ts";
import { drag } from "./drag.ts";
import type { Picture } from "./draw/picture.ts";
import { hitHead, hitRows } from "./hit.ts";
import type { Scene, Thing } from "./scene.ts";
import type { View } from "./view.ts";

type Find = (x: number, y: number) => Thing | null;
type Hint = (thing: Thing | null, x: number, y: number) => void;

/** One notch of a wheel does not zoom further than that. */
const MOST = 0.7;

/** Lets a pointer act on the picture; `scroll` moves the rows by pixels, `hint` tells what is under it. */
export function followPointer(
  scene: Scene,
  picture: Picture,
  scroll: (pixels: number) => void,
  hint: Hint,
): void {
  const { rows, head, overview } = picture;
  const findRow: Find = (x, y) => hitRows(scene, x, y + picture.top, rows.clientWidth);
  const findHead: Find = (x, y) => hitHead(scene, x, y, head.clientWidth);
  follow(scene, picture, rows, findRow, scroll, hint);
  follow(scene, picture, head, findHead, () => undefined, hint);
  for (const canvas of [rows, head]) zoomByWheel(scene.view, canvas, scroll);
  brush(scene.view, overview);
}

function follow(
  scene: Scene,
  picture: Picture,
  canvas: HTMLCanvasElement,
  find: Find,
  scroll: (pixels: number) => void,
  hint: Hint,
): void {
  const point = (thing: Thing | null, x: number | null, event: PointerEvent) => {
    picture.pointer = x;
    scene.hover(thing);
    hint(thing, event.clientX, event.clientY);
    picture.refresh();
  };
  drag(scene.view, canvas, scroll, (x, y) => scene.choose(find(x, y)));
  canvas.addEventListener("pointermove", (event) => {
    const { offsetX, offsetY, buttons } = event;
    point(buttons === 0 ? find(offsetX, offsetY) : null, offsetX, event);
  });
  canvas.addEventListener("pointerleave", (event) => point(null, null, event));
  canvas.addEventListener("dblclick", ({ offsetX }) =>
    scene.view.zoom(1 / 4, scene.view.time(offsetX, canvas.clientWidth)),
  );
}

function zoomByWheel(view: View, canvas: HTMLCanvasElement, scroll: (pixels: number) => void): void {
  const act = (event: WheelEvent) => {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const [sideways, down] = [event.deltaX * lines, event.deltaY * lines];
    if (event.shiftKey) return scroll(down || sideways);
    if (Math.abs(sideways) > Math.abs(down)) return view.pan((sideways / canvas.clientWidth) * view.span);
    // A pinch comes as a wheel with the control key, in smaller steps.
    const power = Math.max(-MOST, Math.min(MOST, down * (event.ctrlKey ? 0.01 : 0.002)));
    return view.zoom(Math.exp(power), view.time(event.offsetX, canvas.clientWidth));
  };
  canvas.addEventListener("wheel", act, { passive: false });
}
