// Wake-ups: arrows from the step that woke to the lane that was woken. All that are in view while they are
// few; else those of what is chosen or pointed at.

import { firstBeyond } from "../order.ts";
import type { Scene, Thing } from "../scene.ts";
import { Cause } from "../weave.ts";
import type { Ink } from "./ink.ts";
import { BAR, ROW } from "./lane.ts";

/** So many arrows can still be told apart. */
const FEW = 160;
const MOST = 400;
/** A lane that is chosen shows so many. */
const LANE = 60;

/** Draws the arrows, where the first row is at `top`. */
export function drawArrows(ink: Ink, scene: Scene, top: number): void {
  const { began } = scene.weave.data.steps;
  const first = firstBeyond(0, began.length, (at) => began[at] >= scene.view.from);
  const end = firstBeyond(first, began.length, (at) => began[at] >= scene.view.to);
  if (end - first <= FEW) {
    ink.faded(0.45, () => {
      for (let step = first; step < end; step++) drawArrow(ink, scene, step, top, 1);
    });
  }
  for (const step of ofInterest(scene)) drawArrow(ink, scene, step, top, 2);
}

/** The steps whose waking matters now. */
function ofInterest(scene: Scene): number[] {
  const things = [scene.chosen, scene.hovered].filter((it) => it !== null);
  return things.flatMap((thing) => wakingsOf(scene, thing));
}

/** The wake-ups of a step and by it, of the step that followed a wait, of a lane's steps if they are few. */
function wakingsOf({ weave, view, chosen }: Scene, thing: Thing): number[] {
  const { kind, index } = thing;
  if (kind === "step") return [index, ...weave.woken(index).subarray(0, MOST)];
  if (kind === "wait") {
    const { lane, began } = weave.data.waits;
    return weave
      .stepsAround(lane[index], began[index])
      .slice(1)
      .filter((step) => step >= 0);
  }
  if (kind !== "lane" || thing !== chosen) return [];
  const track = weave.stepTrack(index);
  const first = Math.max(track.last(view.from), 0);
  const length = track.last(view.to) + 1 - first;
  return length > LANE ? [] : Array.from({ length: Math.max(length, 0) }, (_, at) => track.item(first + at));
}

function drawArrow(ink: Ink, scene: Scene, step: number, top: number, weight: number): void {
  const { weave, view, lanes } = scene;
  const { lane, woken, causeKind } = weave.data.steps;
  const kind = causeKind[step];
  if (kind === Cause.unknown || Number.isNaN(woken[step])) return;
  const x = view.x(woken[step], ink.width);
  if (x < -20 || x > ink.width + 20) return;
  const to = top + lanes.rowOf(lane[step]) * ROW + ROW / 2;
  const waker = weave.waker(step);
  // What no step woke comes from the loop, above all lanes.
  const from = waker < 0 ? 0 : top + lanes.rowOf(lane[waker]) * ROW + ROW / 2;
  if (from !== to) strokeArrow(ink, x, from, to, weight, waker < 0);
}

function strokeArrow(ink: Ink, x: number, from: number, to: number, weight: number, isDashed: boolean): void {
  const { context } = ink;
  const down = Math.sign(to - from);
  const tip = to - down * 3;
  context.strokeStyle = ink.colours.arrow;
  context.fillStyle = ink.colours.arrow;
  context.lineWidth = weight;
  context.setLineDash(isDashed ? [3, 3] : []);
  context.beginPath();
  // Beyond the edge nothing is seen of it.
  context.moveTo(x, Math.min(Math.max(from + (down * BAR) / 2, -50), ink.height + 50));
  context.lineTo(x, Math.min(Math.max(tip - down * 5, -50), ink.height + 50));
  context.stroke();
  context.setLineDash([]);
  context.beginPath();
  context.moveTo(x, tip);
  context.lineTo(x - 2.5 - weight, tip - down * (5 + weight));
  context.lineTo(x + 2.5 + weight, tip - down * (5 + weight));
  context.fill();
}
