// Tasks by what their steps and waits come to; and those that never finished.

import { count } from "../count.ts";
import type { Scene } from "../scene.ts";
import { duration, moment } from "../time.ts";
import { CALLBACK, TASK } from "../weave.ts";
import { gradeOf, outcomeOf } from "../words.ts";
import type { Column, Contents } from "./table.ts";

/** The table of all tasks, and of the functions that the loop called. */
export function lanesTable(scene: Scene): Contents {
  const { weave } = scene;
  const { kind } = weave.data.lanes;
  const kinds = (lane: number) =>
    kind[lane] === TASK ? "task" : kind[lane] === CALLBACK ? "function" : "descriptor";
  const { running, longest, ready, waiting } = weave.totals;
  const time = (title: string, of: Float64Array, isShare = false): Column => {
    return { title, text: (lane) => duration(of[lane]), value: (lane) => of[lane], isShare };
  };
  return {
    title: "Tasks and functions.",
    about: "How long their steps ran, how long they stood ready while others ran, and how long they waited.",
    none: "No task was recorded.",
    sortedBy: 2,
    rows: Array.from(kind.keys()),
    columns: [
      { title: "Name", text: (lane) => weave.fullName(lane) },
      { title: "Kind", text: kinds },
      time("Ran", running, true),
      { title: "Steps", text: (lane) => count(stepsOf(scene, lane)), value: (lane) => stepsOf(scene, lane) },
      { ...time("Longest step", longest), grade: (lane) => gradeOf(longest[lane]) },
      time("Stood ready", ready),
      time("Waited", waiting),
      { title: "Outcome", text: (lane) => outcomeOf(weave, lane) },
      { title: "Place", text: (lane) => weave.place(lane) },
    ],
    go: (index) => scene.go({ kind: "lane", index }),
  };
}

/** The table of the tasks that had not ended when the recording did. */
export function unfinishedTable(scene: Scene): Contents {
  const { weave } = scene;
  const { lanes, waits, ended } = weave.data;
  const isOpen = (lane: number) => lanes.kind[lane] === TASK && Number.isNaN(lanes.ended[lane]);
  const last = (lane: number) => weave.openWait(lane);
  const since = (lane: number) => (last(lane) < 0 ? 0 : ended - waits.began[last(lane)]);
  return {
    title: "Never finished.",
    about: "Tasks that had not ended when the recording did, and what they then waited for.",
    none: "All tasks finished before the recording ended.",
    sortedBy: 2,
    rows: Array.from(lanes.kind.keys()).filter(isOpen),
    columns: [
      { title: "Name", text: (lane) => weave.fullName(lane) },
      { title: "Waits for", text: (lane) => (last(lane) < 0 ? "" : weave.text(waits.what[last(lane)])) },
      { title: "Since", text: (lane) => duration(since(lane)), value: since, isShare: true },
      {
        title: "Awaits",
        text: (lane) => (last(lane) < 0 ? "" : weave.chain(waits.chain[last(lane)]).join(" → ")),
      },
      { title: "Steps", text: (lane) => count(stepsOf(scene, lane)), value: (lane) => stepsOf(scene, lane) },
      { title: "Began", text: (lane) => moment(lanes.began[lane]), value: (lane) => lanes.began[lane] },
      { title: "Made at", text: (lane) => weave.place(lane) },
    ],
    go: (index) => scene.go({ kind: "lane", index }),
  };
}

function stepsOf({ weave }: Scene, lane: number): number {
  return weave.stepsOf.starts[lane + 1] - weave.stepsOf.starts[lane];
}
