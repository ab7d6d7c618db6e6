// A lane: the life of a task as a pale line, waits as thin lines with what was waited for, the time it
// stood ready, and its steps.

import type { Scene } from "../scene.ts";
import type { Track } from "../track.ts";
import { CALLBACK, TASK } from "../weave.ts";
import { drawSteps } from "./bars.ts";
import type { Ink } from "./ink.ts";
import { waitColour } from "./wait-colour.ts";

export const ROW = 24;
export const BAR = 14;
export const INSET = (ROW - BAR) / 2;

/** Draws a lane whose row begins at `y`. */
export function drawLane(ink: Ink, scene: Scene, lane: number, y: number): void {
  const { weave } = scene;
  const kind = weave.data.lanes.kind[lane];
  const { task, function: called, descriptor } = ink.colours;
  const steps = weave.stepTrack(lane);
  if (kind === TASK) drawLife(ink, scene, lane, y);
  drawWaits(ink, scene, weave.waitTrack(lane), y);
  drawReady(ink, scene, steps, y);
  drawSteps(
    ink,
    scene,
    steps,
    y + INSET,
    BAR,
    kind === TASK ? task : kind === CALLBACK ? called : descriptor,
  );
  if (kind === TASK) drawCancels(ink, scene, lane, y);
  if (kind === TASK) drawEnd(ink, scene, lane, y);
}

/** From when to when a task lived. */
function drawLife(ink: Ink, scene: Scene, lane: number, y: number): void {
  const [began, ended] = scene.times({ kind: "lane", index: lane });
  const [left, right] = [scene.view.x(began, ink.width), scene.view.x(ended, ink.width)];
  ink.rect(left, y + ROW / 2 - 0.5, right - left, 1, ink.colours.faint);
}

function drawWaits(ink: Ink, scene: Scene, track: Track, y: number): void {
  const { what } = scene.weave.data.waits;
  const middle = y + ROW / 2;
  track.runs(scene.view, ink.width, ({ left, right, first, count }) => {
    const colour = waitColour(scene.weave, what[track.item(first)], ink.colours);
    ink.rect(left, middle - 1, Math.max(right - left, 1), 2, colour);
    if (count === 1 && right - left > 40)
      drawWhat(ink, scene.weave.text(what[track.item(first)]), left, right, middle, colour);
  });
}

/** What was waited for, on its line, where there is room. */
function drawWhat(ink: Ink, what: string, left: number, right: number, middle: number, colour: string): void {
  const text = what.length > 48 ? `${what.slice(0, 47)}…` : what;
  const wide = ink.measure(text);
  const [from, to] = [Math.max(left, 0), Math.min(right, ink.width)];
  if (to - from < wide + 24) return;
  ink.rect(from + 8, middle - 6, wide + 8, 12, ink.colours.sheet);
  ink.text(text, from + 12, middle + 0.5, colour);
}

/** The time between waking and running: others went first. */
function drawReady(ink: Ink, scene: Scene, track: Track, y: number): void {
  const { weave, view } = scene;
  const { began, woken } = weave.data.steps;
  const draw = (step: number) => {
    if (!(weave.lag[step] > 0)) return;
    const [left, right] = [view.x(woken[step], ink.width), view.x(began[step], ink.width)];
    if (right - left >= 1) ink.rect(left, y + ROW / 2 - 3, right - left, 6, ink.colours.ready);
  };
  track.runs(view, ink.width, ({ first, count }) => {
    if (count === 1) draw(track.item(first));
  });
  // The next may already have stood ready at the right edge.
  const next = track.last(view.to) + 1;
  if (next < track.length) draw(track.item(next));
}

/** When a task was asked to cancel itself: strokes; so many at most. */
function drawCancels(ink: Ink, scene: Scene, lane: number, y: number): void {
  const { time } = scene.weave.data.cancels;
  for (const cancel of scene.weave.cancelsOf.of(lane).subarray(0, 1000)) {
    const x = scene.view.x(time[cancel], ink.width);
    if (x >= -2 && x <= ink.width) ink.rect(x, y + INSET - 2, 2, BAR + 4, ink.colours.raised);
  }
}

/** How a task ended: a stroke; one that raised is marked, one that was cancelled is hollow. */
function drawEnd(ink: Ink, scene: Scene, lane: number, y: number): void {
  const { data } = scene.weave;
  const ended = data.lanes.ended[lane];
  if (Number.isNaN(ended)) return;
  const x = scene.view.x(ended, ink.width);
  if (x < -8 || x > ink.width + 8) return;
  const how = scene.weave.text(data.lanes.how[lane]);
  if (how === "raised") drawCross(ink, x + 7, y + ROW / 2);
  else if (how === "cancelled") ink.frame(x + 3, y + ROW / 2 - 3, 6, 6, ink.colours.muted);
  else ink.rect(x, y + INSET + 2, 2, BAR - 4, ink.colours.muted);
}

function drawCross(ink: Ink, x: number, y: number): void {
  const { context } = ink;
  context.strokeStyle = ink.colours.raised;
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(x - 4, y - 4);
  context.lineTo(x + 4, y + 4);
  context.moveTo(x + 4, y - 4);
  context.lineTo(x - 4, y + 4);
  context.stroke();
}
