// The longest steps: who kept the loop from all others.

import { count } from "../count.ts";
import type { Scene } from "../scene.ts";
import { placeIn } from "../stack.ts";
import { duration, moment } from "../time.ts";
import { causeOf, gradeOf } from "../words.ts";
import type { Contents } from "./table.ts";

/** The table of the longest steps. */
export function stepsTable(scene: Scene): Contents {
  const { weave } = scene;
  const { took, began, lane } = weave.data.steps;
  const some =
    took.length > weave.longestSteps.length ? ` The longest ${count(weave.longestSteps.length)}.` : "";
  const inside = { title: "Was in", text: (it: number) => placeIn(weave.stack(it)) };
  const stack = weave.data.stacks.length > 0 ? [inside] : [];
  return {
    title: "Longest steps.",
    about: `While a step runs, the loop does nothing else: these kept all others waiting.${some}`,
    none: "No step was recorded.",
    sortedBy: 1,
    rows: weave.longestSteps,
    columns: [
      { title: "Whose", text: (it) => weave.fullName(lane[it]) },
      {
        title: "Took",
        text: (it) => duration(took[it]),
        value: (it) => took[it],
        grade: (it) => gradeOf(took[it]),
        isShare: true,
      },
      ...stack,
      { title: "Began", text: (it) => moment(began[it]), value: (it) => began[it] },
      { title: "Stood ready", text: (it) => duration(weave.lag[it]), value: (it) => weave.lag[it] },
      { title: "Woken by", text: (it) => causeOf(weave, it) },
      { title: "Made at, or place", text: (it) => weave.place(lane[it]) },
    ],
    go: (index) => scene.go({ kind: "step", index }),
  };
}
