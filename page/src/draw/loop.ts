// The loop's own lane: when it worked and when it slept, how many stood ready, its lag, when garbage was
// collected, and what the program marked.

import type { Scene } from "../scene.ts";
import { AXIS } from "./axis.ts";
import { drawSteps } from "./bars.ts";
import type { Ink } from "./ink.ts";

/** The strips of the loop's lane: where each begins, and how high it is. */
export const STRIPS = {
  work: { y: AXIS + 4, height: 18 },
  ready: { y: AXIS + 27, height: 20 },
  lag: { y: AXIS + 52, height: 20 },
  marks: { y: AXIS + 76, height: 16 },
} as const;

export const HEAD = AXIS + 96;

/** Draws the loop's lane. */
export function drawLoop(ink: Ink, scene: Scene): void {
  drawWork(ink, scene);
  const { curves, view } = scene;
  // Roots of the values: one that is large leaves room for the small ones to be seen.
  const step = view.span / ink.width;
  const each = (x: number): [number, number] => [view.time(x, ink.width), view.time(x, ink.width) + step];
  drawCurve(ink, STRIPS.ready, ink.colours.task, (x) =>
    Math.sqrt(curves.readyIn(...each(x)) / Math.max(curves.mostReady, 1)),
  );
  drawCurve(ink, STRIPS.lag, ink.colours.long, (x) =>
    Math.cbrt(curves.lagIn(...each(x)) / Math.max(curves.mostLag, 1)),
  );
  drawCollections(ink, scene);
  drawMarks(ink, scene);
  drawChosen(ink, scene);
  ink.rect(0, HEAD - 1, ink.width, 1, ink.colours.line);
}

/** A frame around what is chosen, where the loop's lane has it. */
function drawChosen(ink: Ink, scene: Scene): void {
  const { chosen, view } = scene;
  if (chosen === null) return;
  const { work, marks } = STRIPS;
  const strip = {
    step: work,
    poll: work,
    collection: marks,
    mark: marks,
    wait: null,
    lane: null,
    socket: null,
    job: null,
  }[chosen.kind];
  if (strip === null) return;
  const [left, right] = scene.times(chosen).map((time) => view.x(time, ink.width));
  ink.frame(left - 1, strip.y, Math.max(right - left, 3) + 2, strip.height, ink.colours.chosen);
}

function drawWork(ink: Ink, scene: Scene): void {
  const { y, height } = STRIPS.work;
  ink.faded(0.35, () => ink.rect(0, y, ink.width, height, ink.colours.task));
  const { polls, steps } = scene.weave;
  polls.runs(scene.view, ink.width, ({ left, right, cover }) => {
    ink.faded(0.25 + 0.75 * cover, () => ink.rect(left, y, right - left, height, ink.colours.sleep));
  });
  drawSteps(ink, scene, steps, y, height, ink.colours.task);
}

/** An area as high as `measure` says, from 0 to 1, at each pixel. */
function drawCurve(
  ink: Ink,
  strip: { y: number; height: number },
  colour: string,
  measure: (x: number) => number,
): void {
  const { context, width } = ink;
  const bottom = strip.y + strip.height;
  ink.rect(0, bottom - 0.5, width, 0.5, ink.colours.faint);
  context.beginPath();
  context.moveTo(0, bottom);
  for (let x = 0; x < width; x++) {
    const top = bottom - Math.min(measure(x), 1) * strip.height;
    context.lineTo(x, top);
    context.lineTo(x + 1, top);
  }
  context.lineTo(width, bottom);
  context.fillStyle = colour;
  ink.faded(0.75, () => context.fill());
}

function drawCollections(ink: Ink, { view, weave }: Scene): void {
  const { began, ended, length } = weave.data.collections;
  const { y, height } = STRIPS.marks;
  for (let at = 0; at < length; at++) {
    const [left, right] = [view.x(began[at], ink.width), view.x(ended[at], ink.width)];
    if (right < 0 || left > ink.width) continue;
    ink.rect(left, y + 2, Math.max(right - left, 3), height - 4, ink.colours.collection);
  }
}

function drawMarks(ink: Ink, { view, weave }: Scene): void {
  const { time, text, length } = weave.data.marks;
  const { y, height } = STRIPS.marks;
  // Where many marks stand close, not all have room for their words.
  let free = -300;
  for (let at = 0; at < length; at++) {
    const x = view.x(time[at], ink.width);
    if (x < -300 || x > ink.width) continue;
    ink.rect(x, y, 2, height, ink.colours.mark);
    if (x < free) continue;
    const label = weave.text(text[at]);
    const short = label.length > 40 ? `${label.slice(0, 39)}…` : label;
    const wide = ink.measure(short) + 8;
    free = x + wide + 4;
    ink.rect(x + 2, y, wide, height, ink.colours.sheet);
    ink.text(short, x + 6, y + height / 2, ink.colours.mark);
  }
}
