// The headline: what matters most, in one sentence, for who knows nothing of the recording.

import { counted } from "./count.ts";
import { button, el } from "./element.ts";
import type { Scene } from "./scene.ts";
import { placeIn } from "./stack.ts";
import { duration } from "./time.ts";
import { BLOCKING, LONG, TASK } from "./weave.ts";
import { gradeOf } from "./words.ts";

/** The sentence on the longest step. */
export function headline(scene: Scene): HTMLElement {
  const { weave } = scene;
  const step = weave.longestSteps[0];
  if (step === undefined) return el("div", { class: "headline" }, el("p", {}, "No step was recorded."));
  const took = weave.data.steps.took[step];
  const rank = gradeOf(took) || "fine";
  const sentence = el(
    "p",
    {},
    "Longest step: ",
    el("strong", {}, duration(took)),
    " by ",
    el("b", {}, who(scene, step)),
    meaning(scene, step),
  );
  const go = button("Show it", () => scene.go({ kind: "step", index: step }), {
    class: "primary",
    title: "Go to the longest step (b)",
  });
  return el(
    "div",
    { class: `headline ${rank}`, role: "status" },
    el("span", { class: "light", "aria-hidden": true }),
    sentence,
    go,
    others(scene),
  );
}

/** Whose step it was, and where: as its stack tells, else where its task was made. */
function who({ weave }: Scene, step: number): string {
  const lane = weave.data.steps.lane[step];
  const stack = placeIn(weave.stack(step));
  const place = weave.place(lane);
  const isTask = weave.data.lanes.kind[lane] === TASK;
  if (stack) return `${weave.fullName(lane)}, in ${stack}`;
  return place ? `${weave.fullName(lane)} (${isTask ? "made at " : ""}${place})` : weave.fullName(lane);
}

function meaning({ weave }: Scene, step: number): string {
  const took = weave.data.steps.took[step];
  if (took < LONG) return ". No step kept the loop for 10 ms or more.";
  const delayed = weave.delayedBy(step);
  const others = delayed > 0 ? `, and ${counted(delayed, "step")} stood ready meanwhile` : "";
  return took >= BLOCKING ? ` — the loop stood still${others}.` : ` — nothing else ran meanwhile${others}.`;
}

function others({ weave }: Scene): HTMLElement | null {
  const { took } = weave.data.steps;
  const long = weave.longestSteps.filter((it) => took[it] >= LONG).length - 1;
  if (long < 1) return null;
  const many =
    long === weave.longestSteps.length - 1
      ? `at least ${counted(long, "other step")}`
      : counted(long, "other step");
  return el("span", { class: "quiet" }, `${many} took 10 ms or more`);
}
