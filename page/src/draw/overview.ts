// The whole recording in a strip: how busy the loop was, where it was blocked, and what part is shown.

import type { Scene } from "../scene.ts";
import { BLOCKING, LONG } from "../weave.ts";
import type { Ink } from "./ink.ts";

const COLUMN = 2;

/** Draws the strip. */
export function drawOverview(ink: Ink, scene: Scene): void {
  const { width, height, colours } = ink;
  const { view, curves } = scene;
  for (let x = 0; x < width; x += COLUMN) {
    const [from, to] = [(x / width) * view.end, ((x + COLUMN) / width) * view.end];
    const busy = curves.busyIn(from, to);
    const longest = curves.longestIn(from, to);
    const colour = longest >= BLOCKING ? colours.blocking : longest >= LONG ? colours.long : colours.task;
    const tall = Math.max(busy * (height - 6), longest >= LONG ? 8 : busy > 0 ? 1.5 : 0);
    ink.rect(x, height - 2 - tall, COLUMN, tall, colour);
  }
  drawWindow(ink, scene);
}

function drawWindow(ink: Ink, { view }: Scene): void {
  const { width, height, colours } = ink;
  const [left, right] = [(view.from / view.end) * width, (view.to / view.end) * width];
  ink.faded(0.66, () => {
    ink.rect(0, 0, left, height, colours.paper);
    ink.rect(right, 0, width - right, height, colours.paper);
  });
  ink.frame(left + 1, 1, Math.max(right - left - 2, 2), height - 2, colours.accent);
}
