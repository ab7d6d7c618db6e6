// The overview under the pointer: a drag chooses a part of the time, or moves the part that is shown.

import type { View } from "./view.ts";

/** A press that moves less is a click. */
const STILL = 4;

interface Start {
  time: number;
  from: number;
  to: number;
  isMove: boolean;
}

/** Lets a pointer choose what `view` shows, on the canvas of the whole recording. */
export function brush(view: View, canvas: HTMLCanvasElement): void {
  const timeAt = (event: PointerEvent) => (event.offsetX / canvas.clientWidth) * view.end;
  const isStill = (time: number) => Math.abs(time) * canvas.clientWidth <= STILL * view.end;
  let start: Start | null = null;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    start = startAt(view, timeAt(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    const time = timeAt(event);
    if (start === null || isStill(time - start.time)) return;
    if (start.isMove) view.show(start.from + time - start.time, start.to + time - start.time);
    else view.show(Math.min(start.time, time), Math.max(start.time, time));
  });
  canvas.addEventListener("pointerup", (event) => {
    const time = timeAt(event);
    // A click moves there.
    if (start && !start.isMove && isStill(time - start.time)) view.pan(time - (view.from + view.to) / 2);
    start = null;
  });
  canvas.addEventListener("dblclick", () => view.fit());
}

/** A press within the part shown moves it, unless that is all. */
function startAt(view: View, time: number): Start {
  const isMove = view.span < view.end * 0.999 && time >= view.from && time <= view.to;
  return { time, from: view.from, to: view.to, isMove };
}
