// What lies under a point of the picture.

import { ROW } from "./draw/lane.ts";
import { STRIPS } from "./draw/loop.ts";
import { jobTrack } from "./draw/outside.ts";
import type { Scene, Thing } from "./scene.ts";

/** How near is near enough, in pixels. */
const SLACK = 3;

/** What is at a point of the rows, `y` counted from the first row's top. */
export function hitRows(scene: Scene, x: number, y: number, width: number): Thing | null {
  const row = scene.lanes.rows[Math.floor(y / ROW)];
  if (row === undefined || row.kind === "group") return null;
  const time = scene.view.time(x, width);
  const slack = (SLACK / width) * scene.view.span;
  if (row.kind === "socket") return { kind: "socket", index: row.index };
  if (row.kind === "job") {
    const track = jobTrack(scene, row.index);
    const at = track.find(time, slack);
    return at < 0 ? null : { kind: "job", index: track.item(at) };
  }
  return hitLane(scene, row.index, time, slack) ?? { kind: "lane", index: row.index };
}

/** A step rather than a wait, also where the step is thin. */
function hitLane({ weave }: Scene, lane: number, time: number, slack: number): Thing | null {
  const steps = weave.stepTrack(lane);
  const step = steps.find(time, slack);
  if (step >= 0) return { kind: "step", index: steps.item(step) };
  const waits = weave.waitTrack(lane);
  const wait = waits.find(time, 0);
  if (wait >= 0) return { kind: "wait", index: waits.item(wait) };
  return null;
}

/** What is at a point of the head. */
export function hitHead(scene: Scene, x: number, y: number, width: number): Thing | null {
  const { weave, view } = scene;
  const time = view.time(x, width);
  const slack = (SLACK / width) * view.span;
  const isIn = ({ y: top, height }: { y: number; height: number }) => y >= top && y < top + height;
  if (isIn(STRIPS.marks)) return hitMarks(scene, time, slack * 2);
  if (isIn(STRIPS.work)) {
    const step = weave.steps.find(time, 0);
    if (step >= 0) return { kind: "step", index: step };
    const poll = weave.polls.find(time, 0);
    return poll < 0 ? null : { kind: "poll", index: poll };
  }
  if (isIn(STRIPS.lag) || isIn(STRIPS.ready)) {
    const step = weave.steps.find(time, slack);
    return step < 0 ? null : { kind: "step", index: step };
  }
  return null;
}

function hitMarks({ weave }: Scene, time: number, slack: number): Thing | null {
  const { marks, collections } = weave.data;
  for (let at = 0; at < marks.length; at++) {
    if (Math.abs(marks.time[at] - time) <= slack) return { kind: "mark", index: at };
  }
  for (let at = 0; at < collections.length; at++) {
    if (collections.began[at] - slack <= time && time <= collections.ended[at] + slack) {
      return { kind: "collection", index: at };
    }
  }
  return null;
}
