// The slowest waits, and waits by what they were for: where tasks contend.

import { count } from "../count.ts";
import type { Scene } from "../scene.ts";
import { duration, moment } from "../time.ts";
import { kindOf, waiterIn } from "../waiting.ts";
import type { Contents } from "./table.ts";

/** The table of the slowest waits. */
export function waitsTable(scene: Scene): Contents {
  const { weave } = scene;
  const { lane, began, ended, what, over, chain } = weave.data.waits;
  const took = (wait: number) => ended[wait] - began[wait];
  const some =
    what.length > weave.longestWaits.length ? ` The longest ${count(weave.longestWaits.length)}.` : "";
  return {
    title: "Slowest waits.",
    about: `What tasks waited for longest; waiting keeps nobody else from running.${some}`,
    none: "No wait was recorded.",
    sortedBy: 2,
    rows: weave.longestWaits,
    columns: [
      { title: "Who", text: (it) => weave.fullName(lane[it]) },
      { title: "For", text: (it) => weave.text(what[it]) },
      { title: "Took", text: (it) => duration(took(it)), value: took, isShare: true },
      { title: "Came", text: (it) => (over[it] ? "yes" : "not yet") },
      { title: "Began", text: (it) => moment(began[it]), value: (it) => began[it] },
      { title: "Awaits", text: (it) => weave.chain(chain[it]).join(" → ") },
    ],
    go: (index) => scene.go({ kind: "wait", index }),
  };
}

/** Waits for one thing in one place of the program, or for things of one kind. */
export interface Contention {
  name: string;
  where: string;
  kind: string;
  contends: boolean;
  waits: number;
  lanes: number;
  total: number;
  longest: number;
  /** The longest of them. */
  slowest: number;
}

/** Waits by what was waited for and where; things that differ by their number only go together. */
export function contentions(scene: Scene): Contention[] {
  const { weave } = scene;
  const { lane, began, ended, what, chain, length } = weave.data.waits;
  const chains = Math.max(weave.data.chains.length, 1);
  const groupOf = new Map<number, Contention>();
  const groups = new Map<string, Contention>();
  const seen = new Map<Contention, Set<number>>();
  for (let wait = 0; wait < length; wait++) {
    const key = what[wait] * chains + chain[wait];
    let group = groupOf.get(key);
    if (group === undefined) {
      group = groupFor(groups, weave.text(what[wait]), waiterIn(weave.chain(chain[wait])));
      groupOf.set(key, group);
    }
    const took = ended[wait] - began[wait];
    group.waits++;
    group.total += took;
    if (took >= group.longest) [group.longest, group.slowest] = [took, wait];
    const lanes = seen.get(group) ?? new Set();
    seen.set(group, lanes.add(lane[wait]));
  }
  for (const [group, lanes] of seen) group.lanes = lanes.size;
  return [...groups.values()];
}

function groupFor(groups: Map<string, Contention>, what: string, place: string): Contention {
  const { name: kind, contends } = kindOf(what);
  const where = contends ? place : "";
  // Each lock and queue by itself; sockets, tasks and timers are too many for that.
  const name = contends
    ? what
    : what === ""
      ? "not known"
      : kind === "other"
        ? what
        : `${kind}s`.replace("processs", "processes");
  const key = `${name}\n${where}`;
  const group = groups.get(key) ?? {
    name,
    where,
    kind,
    contends,
    waits: 0,
    lanes: 0,
    total: 0,
    longest: 0,
    slowest: -1,
  };
  groups.set(key, group);
  return group;
}

/** The table of what tasks contend for. */
export function contentionTable(scene: Scene): Contents {
  const groups = contentions(scene);
  // What is shared first, and that most waited for before the others.
  const shared = (it: number) => groups[it].total + (groups[it].contends ? 1e18 : 0);
  return {
    title: "Contention.",
    about:
      "Waits by what they were for. For what is shared (locks, queues, executors …) tasks stand in line.",
    none: "No wait was recorded.",
    sortedBy: 2,
    rows: Array.from(groups.keys()),
    columns: [
      { title: "Waited for", text: (it) => groups[it].name },
      { title: "Where", text: (it) => groups[it].where },
      {
        title: "Shared",
        text: (it) => (groups[it].contends ? `yes: ${groups[it].kind}` : "no"),
        rank: shared,
      },
      { title: "Waits", text: (it) => count(groups[it].waits), value: (it) => groups[it].waits },
      { title: "Tasks", text: (it) => count(groups[it].lanes), value: (it) => groups[it].lanes },
      {
        title: "Together",
        text: (it) => duration(groups[it].total),
        value: (it) => groups[it].total,
        isShare: true,
      },
      {
        title: "Mean",
        text: (it) => duration(groups[it].total / groups[it].waits),
        value: (it) => groups[it].total / groups[it].waits,
      },
      { title: "Longest", text: (it) => duration(groups[it].longest), value: (it) => groups[it].longest },
    ],
    go: (it) => scene.go({ kind: "wait", index: groups[it].slowest }),
  };
}
