// The details of a step: whose, when, what woke it, what it waited for before, what it woke, its stack.

import { count, counted } from "../count.ts";
import { button, el, facts } from "../element.ts";
import type { Scene } from "../scene.ts";
import { clock, duration, moment } from "../time.ts";
import { BLOCKING, TASK, type Weave } from "../weave.ts";
import { causeOf } from "../words.ts";
import { chainList, code, heading, jumpButtons } from "./parts.ts";

/** So many of those woken are named. */
const NAMED = 12;

/** A step in full. */
export function describeStep(scene: Scene, step: number): Node[] {
  const { weave } = scene;
  const { lane } = weave.data.steps;
  const own = lane[step];
  const parent = weave.data.lanes.parent[own];
  const wait = weave.waitBefore(step);
  return [
    heading("Step of", weave.fullName(own)),
    ...warning(weave, step),
    times(scene, step),
    jumpButtons(
      scene,
      ["Waker", weave.waker(step)],
      ["Previous step", weave.neighbour(step, -1)],
      ["Next step", weave.neighbour(step, 1)],
      ["Parent", parent, "lane"],
      [weave.data.lanes.kind[own] === TASK ? "Task" : "Lane", own, "lane"],
    ),
    ...stack(weave, step),
    ...waited(scene, wait),
    ...woke(scene, step),
    ...cancelled(scene, step),
  ];
}

function warning(weave: Weave, step: number): Node[] {
  if (weave.data.steps.took[step] < BLOCKING) return [];
  const delayed = weave.delayedBy(step);
  const others = delayed > 0 ? ` ${counted(delayed, "other step")} stood ready and had to wait.` : "";
  return [el("p", { class: "warning" }, `While this step ran, the loop stood still.${others}`)];
}

function times({ weave }: Scene, step: number): HTMLElement {
  const { steps, lanes, wall } = weave.data;
  const own = steps.lane[step];
  const isTask = lanes.kind[own] === TASK;
  return facts(
    ["took", el("strong", {}, duration(steps.took[step]))],
    ["began", moment(steps.began[step])],
    ["ended", moment(weave.stepEnded[step])],
    ["clock", clock(steps.began[step], wall)],
    [isTask ? "task made at" : "place", code(weave.place(own))],
    ["step", `${count(weave.ordinal(step) + 1)} of ${count(weave.stepsOf.of(own).length)}`],
    ["woken by", causeOf(weave, step)],
    ["woken at", moment(steps.woken[step])],
    ["stood ready", Number.isNaN(weave.lag[step]) ? "not known" : duration(weave.lag[step])],
  );
}

function stack(weave: Weave, step: number): Node[] {
  const text = weave.stack(step);
  return text ? [el("h3", {}, "Its stack, while it blocked"), el("pre", { tabIndex: 0 }, text)] : [];
}

function waited(scene: Scene, wait: number): Node[] {
  if (wait < 0) return [];
  const { waits } = scene.weave.data;
  const what = scene.weave.text(waits.what[wait]) || "something";
  const text = `${duration(waits.ended[wait] - waits.began[wait])} for ${what}`;
  const goal = button(text, () => scene.go({ kind: "wait", index: wait }), { class: "link" });
  return [el("h3", {}, "Waited before"), goal, ...chainList(scene.weave.chain(waits.chain[wait]))];
}

function woke(scene: Scene, step: number): Node[] {
  const { weave } = scene;
  const woken = weave.woken(step);
  if (woken.length === 0) return [];
  const named = Array.from(woken.subarray(0, NAMED), (it) => {
    const go = () => scene.go({ kind: "step", index: it });
    return el("li", {}, button(weave.fullName(weave.data.steps.lane[it]), go, { class: "link" }));
  });
  const more = woken.length - NAMED;
  const rest = more > 0 ? el("li", { class: "quiet" }, `and ${count(more)} more`) : null;
  return [el("h3", {}, `Woke ${counted(woken.length, "step")}`), el("ul", { class: "woke" }, ...named, rest)];
}

/** Whom it asked to cancel themselves. */
function cancelled(scene: Scene, step: number): Node[] {
  const { weave } = scene;
  const requests = weave.cancelsBy.of(step);
  if (requests.length === 0) return [];
  const named = Array.from(requests.subarray(0, NAMED), (it) => {
    const index = weave.data.cancels.lane[it];
    const go = () => scene.go({ kind: "lane", index });
    return el("li", {}, button(weave.fullName(index), go, { class: "link" }));
  });
  return [
    el("h3", {}, `Asked ${counted(requests.length, "task")} to cancel`),
    el("ul", { class: "woke" }, ...named),
  ];
}
