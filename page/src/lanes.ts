// The rows: tasks in their tree, and the other lanes, in groups; what of it is folded or left out, and what
// remains. It knows nothing of pixels.

import { isAlive, type Stretch } from "./alive.ts";
import { Grouping } from "./grouping.ts";
import { Tree } from "./tree.ts";
import { CALLBACK, DESCRIPTOR, type Weave } from "./weave.ts";

export type GroupName = "tasks" | "functions" | "descriptors" | "jobs" | "sockets";

/** One line of the picture: a heading, a lane, a socket, or an executor's function. */
export interface Row {
  kind: "group" | "lane" | "job" | "socket";
  group: GroupName;
  /** The lane, the socket, or the function's text. */
  index: number;
  depth: number;
  /** How many rows it could hide. */
  below: number;
  folded: boolean;
}

/** With fewer rows there is little to see, and more are too many to look through. */
const FEW = 20;
const MANY = 300;

/** The lanes of a weave. */
export class Lanes {
  /** What is shown, from top to bottom. */
  rows: Row[] = [];
  /** The lanes of each group; tasks in the order of their tree. */
  readonly members: Record<GroupName, number[]>;
  /** The jobs of each function. */
  readonly jobsOf: Grouping;
  private readonly tree: Tree;
  private limits: Stretch | null = null;
  private readonly foldedLanes: Uint8Array;
  private readonly foldedGroups = new Set<GroupName>(["sockets"]);
  private readonly laneRows: Int32Array;
  private readonly socketRows: Int32Array;
  private readonly listeners: (() => void)[] = [];

  constructor(private readonly weave: Weave) {
    const { lanes, sockets, jobs, strings } = weave.data;
    this.tree = new Tree(weave);
    this.foldedLanes = new Uint8Array(lanes.length);
    this.laneRows = new Int32Array(lanes.length);
    this.socketRows = new Int32Array(sockets.length);
    this.jobsOf = new Grouping(jobs.function, strings.length);
    const ofKind = (kind: number) =>
      Array.from(lanes.kind.keys()).filter((lane) => lanes.kind[lane] === kind);
    this.members = {
      tasks: this.tree.order,
      functions: ofKind(CALLBACK),
      descriptors: ofKind(DESCRIPTOR),
      jobs: [...new Set(jobs.function)],
      sockets: Array.from(sockets.opened.keys()),
    };
    this.openFirst();
    this.lay();
  }

  /** Calls `listener` after every change. */
  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** Folds a row that is open, and opens one that is folded. */
  toggle(row: Row): void {
    this.setFolded(row, !row.folded);
  }

  /** Folds or opens a row. */
  setFolded(row: Row, folded: boolean): void {
    if (row.below === 0) return;
    if (row.kind === "lane") this.foldedLanes[row.index] = folded ? 1 : 0;
    else if (folded) this.foldedGroups.add(row.group);
    else this.foldedGroups.delete(row.group);
    this.lay();
  }

  /** Folds all tasks that made others, and all groups but the tasks. */
  foldAll(): void {
    this.foldLanes(true);
    for (const group of Object.keys(this.members) as GroupName[]) {
      if (group !== "tasks") this.foldedGroups.add(group);
    }
    this.lay();
  }

  /** Opens all. */
  unfoldAll(): void {
    this.foldLanes(false);
    this.foldedGroups.clear();
    this.lay();
  }

  /** Opens what hides a lane. */
  revealLane(lane: number): void {
    const group = (["tasks", "functions", "descriptors"] as const)[this.weave.data.lanes.kind[lane]];
    let hidden = this.foldedGroups.delete(group);
    for (let at = this.tree.parent(lane); at >= 0; at = this.tree.parent(at)) {
      if (this.foldedLanes[at] === 1) hidden = true;
      this.foldedLanes[at] = 0;
    }
    if (hidden) this.lay();
  }

  /** Opens the groups of what is no lane. */
  revealGroup(group: GroupName): void {
    if (this.foldedGroups.delete(group)) this.lay();
  }

  /** Leaves out what is not alive in a stretch of time; with null, nothing. */
  limit(limits: Stretch | null): void {
    this.limits = limits === null ? null : { from: limits.from, to: limits.to };
    this.lay();
  }

  /** The row of a lane, or of what it is folded into; -1 if it is left out. */
  rowOf(lane: number): number {
    return this.laneRows[lane];
  }

  /** The row of a socket, or of the group it is folded into. */
  rowOfSocket(socket: number): number {
    return this.socketRows[socket];
  }

  /** The row of an executor's function. */
  rowOfJobs(text: number): number {
    return this.rows.findIndex((row) => row.group === "jobs" && (row.index === text || row.folded));
  }

  /** The steps of a lane or a group of lanes and of all that is folded into it, in the order of time. */
  stepsWithin(row: Row): Uint32Array {
    const lanes = row.kind === "group" ? this.members[row.group] : this.tree.within(row.index);
    const each = lanes.map((lane) => this.weave.stepsOf.of(lane));
    const steps = new Uint32Array(each.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const own of each) {
      steps.set(own, at);
      at += own.length;
    }
    // Steps are numbered in the order in which they began.
    return steps.sort();
  }

  /** Opens the tree from its roots down, level by level, until there is enough to see. */
  private openFirst(): void {
    const { order, depth, below } = this.tree;
    const counts: number[] = [];
    for (const lane of order) counts[depth[lane]] = (counts[depth[lane]] ?? 0) + 1;
    let [level, shown] = [1, counts[1] ?? 0];
    while (counts[level + 1] && (shown < FEW || shown + counts[level + 1] <= MANY)) shown += counts[++level];
    for (const lane of order) this.foldedLanes[lane] = depth[lane] >= level && below[lane] > 0 ? 1 : 0;
  }

  private foldLanes(folded: boolean): void {
    for (const lane of this.members.tasks)
      this.foldedLanes[lane] = folded && this.tree.below[lane] > 0 ? 1 : 0;
  }

  /** Writes down the rows anew. */
  private lay(): void {
    this.rows = [];
    this.layTasks();
    for (const group of ["functions", "descriptors", "jobs", "sockets"] as const) this.layFlat(group);
    for (const listener of this.listeners) listener();
  }

  private layTasks(): void {
    const { order, depth, below } = this.tree;
    const isOpen = this.layGroup("tasks");
    for (let at = 0; at < order.length; ) {
      const lane = order[at];
      const folded = this.foldedLanes[lane] === 1;
      const place = { depth: depth[lane], below: below[lane], folded };
      const row = this.push({ kind: "lane", group: "tasks", index: lane, ...place }, isOpen);
      const hidden = folded || !isOpen ? below[lane] : 0;
      for (let it = at; it <= at + hidden; it++) this.laneRows[order[it]] = row;
      at += 1 + hidden;
    }
  }

  private layFlat(group: Exclude<GroupName, "tasks">): void {
    if (this.members[group].length === 0) return;
    const isOpen = this.layGroup(group);
    const kind = group === "jobs" ? "job" : group === "sockets" ? "socket" : "lane";
    const rowOf = { lane: this.laneRows, socket: this.socketRows, job: undefined }[kind];
    for (const index of this.members[group]) {
      const place = this.push({ kind, group, index, depth: 1, below: 0, folded: false }, isOpen);
      if (rowOf !== undefined) rowOf[index] = place;
    }
  }

  /** Adds a row if its group is open, and gives the place where it is shown, -1 if it is left out. */
  private push(row: Row, isOpen: boolean): number {
    if (!isOpen) return this.rows.length - 1;
    const ended = row.folded ? this.tree.until[row.index] : this.weave.data.lanes.ended[row.index];
    if (this.limits && !isAlive(this.weave, row.kind, row.index, ended, this.limits)) return -1;
    return this.rows.push(row) - 1;
  }

  private layGroup(group: GroupName): boolean {
    const folded = this.foldedGroups.has(group);
    this.rows.push({ kind: "group", group, index: -1, depth: 0, below: this.members[group].length, folded });
    return !folded;
  }
}
