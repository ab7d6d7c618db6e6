// The details of a lane: what it is, how it ended, what its steps and waits come to; and those of a wait.

import { count, counted } from "../count.ts";
import { button, el, facts } from "../element.ts";
import type { Scene } from "../scene.ts";
import { duration, moment } from "../time.ts";
import { TASK, type Weave } from "../weave.ts";
import { outcomeOf } from "../words.ts";
import { chainList, code, heading, jumpButtons } from "./parts.ts";

const OPEN = "not before the recording did";

/** So many requests to cancel are named. */
const NAMED = 12;
const LINK = { class: "link" };

/** A task, a function, or a descriptor in full. */
export function describeLane(scene: Scene, lane: number): Node[] {
  const { weave } = scene;
  const isTask = weave.data.lanes.kind[lane] === TASK;
  return [
    heading(isTask ? "Task" : "Calls of", weave.name(lane)),
    isTask ? taskFacts(weave, lane) : facts(["place", code(weave.place(lane))]),
    sums(weave, lane, isTask),
    jumps(scene, lane),
    ...cancelRequests(scene, lane),
    ...openWait(weave, lane),
  ];
}

/** A wait in full. */
export function describeWait(scene: Scene, wait: number): Node[] {
  const { weave } = scene;
  const { lane, what, began, ended, over, chain } = weave.data.waits;
  const [before, after] = weave.stepsAround(lane[wait], began[wait]);
  return [
    heading("Wait of", weave.fullName(lane[wait])),
    facts(
      ["for", el("strong", {}, weave.text(what[wait]) || "not known")],
      ["took", el("strong", {}, duration(ended[wait] - began[wait]))],
      ["began", moment(began[wait])],
      ["ended", over[wait] ? moment(ended[wait]) : OPEN],
    ),
    jumpButtons(scene, ["Step before", before], ["Step after", after], ["Task", lane[wait], "lane"]),
    ...chainList(weave.chain(chain[wait])),
  ];
}

function taskFacts(weave: Weave, lane: number): HTMLElement {
  const { began, ended } = weave.data.lanes;
  return facts(
    ["runs", weave.coroutine(lane)],
    ["made at", code(weave.place(lane))],
    ["began", moment(began[lane])],
    ["ended", Number.isNaN(ended[lane]) ? OPEN : moment(ended[lane])],
    ["how", outcomeOf(weave, lane)],
    ["made", counted(weave.children.of(lane).length, "task")],
  );
}

function sums(weave: Weave, lane: number, isTask: boolean): HTMLElement {
  const { running, longest, ready, waiting } = weave.totals;
  return facts(
    ["steps", count(weave.stepsOf.of(lane).length)],
    ["ran", el("strong", {}, duration(running[lane]))],
    ["longest", duration(longest[lane])],
    ["stood ready", duration(ready[lane])],
    isTask ? ["waited", duration(waiting[lane])] : null,
  );
}

function jumps(scene: Scene, lane: number): HTMLElement {
  const { took } = scene.weave.data.steps;
  const steps = scene.weave.stepsOf.of(lane);
  let longest = steps[0] ?? -1;
  for (const step of steps) if (took[step] > took[longest]) longest = step;
  return jumpButtons(
    scene,
    ["First step", steps[0] ?? -1],
    ["Longest step", longest],
    ["Last step", steps.at(-1) ?? -1],
    ["Parent", scene.weave.data.lanes.parent[lane], "lane"],
  );
}

/** Who asked a task to cancel itself, and when. */
function cancelRequests(scene: Scene, lane: number): Node[] {
  const { weave } = scene;
  const { time, step } = weave.data.cancels;
  const requests = weave.cancelsOf.of(lane);
  if (requests.length === 0) return [];
  const lines = Array.from(requests.subarray(0, NAMED), (it) => {
    const go = () => scene.go({ kind: "step", index: step[it] });
    const who =
      step[it] < 0 ? [] : [" by ", button(weave.fullName(weave.data.steps.lane[step[it]]), go, LINK)];
    return el("li", {}, moment(time[it]), ...who);
  });
  return [el("h3", {}, "Asked to cancel"), el("ul", { class: "woke" }, ...lines)];
}

/** What a task that never finished still waited for. */
function openWait(weave: Weave, lane: number): Node[] {
  const wait = weave.openWait(lane);
  if (wait < 0) return [];
  const { what, chain } = weave.data.waits;
  return [
    el("h3", {}, "Still waits for"),
    el("p", {}, weave.text(what[wait])),
    ...chainList(weave.chain(chain[wait])),
  ];
}
