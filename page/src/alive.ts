// Whether something has a part in a stretch of time.

import type { Row } from "./lanes.ts";
import { TASK, type Weave } from "./weave.ts";

/** A stretch of time. */
export interface Stretch {
  from: number;
  to: number;
}

/** Whether what a row stands for was there in `stretch`; `ended` is when a task, or the last within it, ended. */
export function isAlive(
  weave: Weave,
  kind: Row["kind"],
  index: number,
  ended: number,
  stretch: Stretch,
): boolean {
  const { from, to } = stretch;
  const { lanes, sockets } = weave.data;
  if (kind === "socket") return !(sockets.opened[index] > to) && !(sockets.closed[index] < from);
  if (kind !== "lane") return true;
  if (lanes.kind[index] === TASK) return !(lanes.began[index] > to) && !(ended < from);
  const steps = weave.stepTrack(index);
  return steps.find(from, 0) >= 0 || steps.last(to) > steps.last(from);
}
