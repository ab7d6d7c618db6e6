// Tasks by what they run: a thousand tasks of one coroutine are one line.

import { count } from "../count.ts";
import type { Scene } from "../scene.ts";
import { duration } from "../time.ts";
import { TASK } from "../weave.ts";
import { gradeOf } from "../words.ts";
import type { Column, Contents } from "./table.ts";

/** What the tasks of one coroutine come to, in nanoseconds. */
export interface Group {
  name: string;
  tasks: number;
  steps: number;
  ran: number;
  longest: number;
  ready: number;
  waited: number;
  /** The task with the longest step. */
  worst: number;
}

/** All tasks, by what they run; those that do not tell, by their names. */
export function coroutines({ weave }: Scene): Group[] {
  const { kind } = weave.data.lanes;
  const groups = new Map<string, Group>();
  for (let lane = 0; lane < kind.length; lane++) {
    if (kind[lane] !== TASK) continue;
    const name = weave.coroutine(lane) || weave.name(lane);
    const none = { name, tasks: 0, steps: 0, ran: 0, longest: 0, ready: 0, waited: 0, worst: lane };
    const group = groups.get(name) ?? none;
    groups.set(name, group);
    const { running, longest, ready, waiting } = weave.totals;
    group.tasks++;
    group.steps += weave.stepsOf.of(lane).length;
    group.ran += running[lane];
    group.ready += ready[lane];
    group.waited += waiting[lane];
    if (longest[lane] > group.longest) [group.longest, group.worst] = [longest[lane], lane];
  }
  return [...groups.values()];
}

/** The table of the coroutines. */
export function coroutinesTable(scene: Scene): Contents {
  const groups = coroutines(scene);
  const time = (title: string, key: "ran" | "longest" | "ready" | "waited", isShare = false): Column => {
    return { title, text: (it) => duration(groups[it][key]), value: (it) => groups[it][key], isShare };
  };
  const number = (title: string, key: "tasks" | "steps"): Column => {
    return { title, text: (it) => count(groups[it][key]), value: (it) => groups[it][key] };
  };
  return {
    title: "Coroutines.",
    about: "Tasks that run the same, taken together; a row leads to the task with the longest step.",
    none: "No task was recorded.",
    sortedBy: 3,
    rows: Array.from(groups.keys()),
    columns: [
      { title: "Runs", text: (it) => groups[it].name },
      number("Tasks", "tasks"),
      number("Steps", "steps"),
      time("Ran", "ran", true),
      { ...time("Longest step", "longest"), grade: (it) => gradeOf(groups[it].longest) },
      time("Stood ready", "ready"),
      time("Waited", "waited"),
    ],
    go: (it) => scene.go({ kind: "lane", index: groups[it].worst }),
  };
}
