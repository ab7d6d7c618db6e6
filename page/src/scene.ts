// What is being looked at: the weave, the part of the time, the rows, and what is chosen. All parts of the
// page share it, and hear of changes from it.

import { Curves } from "./curves.ts";
import { Lanes } from "./lanes.ts";
import { View } from "./view.ts";
import type { Weave } from "./weave.ts";

export type Kind = "step" | "wait" | "lane" | "poll" | "collection" | "mark" | "socket" | "job";

/** Something in the weave that can be chosen. */
export interface Thing {
  kind: Kind;
  index: number;
}

/** What is looked at. */
export class Scene {
  readonly lanes: Lanes;
  readonly view: View;
  readonly curves: Curves;
  chosen: Thing | null = null;
  hovered: Thing | null = null;
  /** Whether lanes are hidden that are not alive in the time shown. */
  isOnlyAlive = false;
  /** Lanes that a search found. */
  found: ReadonlySet<number> = new Set();
  private readonly listeners: ((reason: "chosen" | "hovered" | "found") => void)[] = [];
  private readonly bringers: ((row: number) => void)[] = [];

  constructor(readonly weave: Weave) {
    this.lanes = new Lanes(weave);
    this.view = new View(Math.max(weave.data.ended, 1));
    this.curves = new Curves(weave);
    this.view.onChange(() => this.isOnlyAlive && this.lanes.limit(this.view));
  }

  /** Calls `listener` when something else is chosen, pointed at, or found. */
  onChange(listener: (reason: "chosen" | "hovered" | "found") => void): void {
    this.listeners.push(listener);
  }

  /** Calls `bring` when a row is to come into view. */
  onBring(bring: (row: number) => void): void {
    this.bringers.push(bring);
  }

  /** Hides lanes that are not alive in the time shown, or shows them again. */
  showOnlyAlive(isOnly: boolean): void {
    this.isOnlyAlive = isOnly;
    this.lanes.limit(isOnly ? this.view : null);
  }

  /** Chooses something, where it is. */
  choose(thing: Thing | null): void {
    this.chosen = thing;
    this.tell("chosen");
  }

  /** Points at something. */
  hover(thing: Thing | null): void {
    if (thing?.kind === this.hovered?.kind && thing?.index === this.hovered?.index) return;
    this.hovered = thing;
    this.tell("hovered");
  }

  /** Marks lanes as found. */
  find(found: ReadonlySet<number>): void {
    this.found = found;
    this.tell("found");
  }

  /** Chooses something, and moves to where it can be seen. */
  go(thing: Thing): void {
    this.unfold(thing);
    this.chosen = thing;
    const [from, to] = this.times(thing);
    // A lane is shown where one is, unless it is not there now.
    if (thing.kind !== "lane" || this.row(thing) < 0) this.view.reveal(from, to);
    this.bring(thing);
    this.tell("chosen");
  }

  /** Moves to the row of something. */
  bring(thing: Thing): void {
    const row = this.row(thing);
    if (row >= 0) for (const bring of this.bringers) bring(row);
  }

  /** From when to when something was; an open end is the recording's. */
  times({ kind, index }: Thing): [number, number] {
    const { lanes, waits, polls, collections, marks, sockets, jobs, steps, ended } = this.weave.data;
    const until = (time: number) => (Number.isNaN(time) ? ended : time);
    if (kind === "step") return [steps.began[index], this.weave.stepEnded[index]];
    if (kind === "mark") return [marks.time[index], marks.time[index]];
    if (kind === "socket") return [sockets.opened[index] || 0, until(sockets.closed[index])];
    const table = { wait: waits, poll: polls, collection: collections, job: jobs, lane: lanes }[kind];
    return [table.began[index] || 0, until(table.ended[index])];
  }

  /** The row on which something lies, -1 for what lies on the loop's lane. */
  row(thing: Thing): number {
    const lane = this.laneOf(thing);
    if (lane >= 0) return this.lanes.rowOf(lane);
    if (thing.kind === "socket") return this.lanes.rowOfSocket(thing.index);
    if (thing.kind === "job") return this.lanes.rowOfJobs(this.weave.data.jobs.function[thing.index]);
    return -1;
  }

  /** The lane of something, -1 if it has none. */
  laneOf({ kind, index }: Thing): number {
    if (kind === "lane") return index;
    if (kind === "step") return this.weave.data.steps.lane[index];
    if (kind === "wait") return this.weave.data.waits.lane[index];
    return -1;
  }

  private unfold(thing: Thing): void {
    const lane = this.laneOf(thing);
    if (lane >= 0) this.lanes.revealLane(lane);
    if (thing.kind === "socket") this.lanes.revealGroup("sockets");
    if (thing.kind === "job") this.lanes.revealGroup("jobs");
  }

  private tell(reason: "chosen" | "hovered" | "found"): void {
    for (const listener of this.listeners) listener(reason);
  }
}
