// Tasks under the tasks that made them: where each stands, and what lies below it. It knows nothing of
// what is shown of it.

import { TASK, type Weave } from "./weave.ts";

/** Deeper ones are counted as so deep. */
const DEEPEST = 65535;

/** The tree of a weave's tasks. */
export class Tree {
  /** The tasks, each before those it made, and these before the next. */
  readonly order: number[] = [];
  /** How deep a task stands; 1 if no task made it. */
  readonly depth: Uint16Array;
  /** How many stand below a task. */
  readonly below: Uint32Array;
  /** When the last of a task and all below it ended. */
  readonly until: Float64Array;
  private readonly position: Int32Array;

  constructor(private readonly weave: Weave) {
    const { length, ended } = weave.data.lanes;
    this.depth = new Uint16Array(length);
    this.below = new Uint32Array(length);
    this.until = ended.map((time) => (Number.isNaN(time) ? Infinity : time));
    this.position = new Int32Array(length).fill(-1);
    this.place();
    this.sum();
  }

  /** The task that made this one, -1 at a root. */
  parent(lane: number): number {
    return this.depth[lane] > 1 ? this.weave.data.lanes.parent[lane] : -1;
  }

  /** A task and all below it. */
  within(lane: number): number[] {
    const at = this.position[lane];
    return this.order.slice(at, at + this.below[lane] + 1);
  }

  private place(): void {
    const { kind, parent } = this.weave.data.lanes;
    const tasks = Array.from(kind.keys()).filter((lane) => kind[lane] === TASK);
    for (const lane of tasks) {
      if (parent[lane] < 0 || kind[parent[lane]] !== TASK) this.append(lane);
    }
    // Only damaged data have parents in a circle: what is left begins a tree of its own.
    for (const lane of tasks) if (this.position[lane] < 0) this.append(lane);
  }

  /** Not by recursion: tasks may have made each other a hundred thousand deep. */
  private append(root: number): void {
    const { kind } = this.weave.data.lanes;
    const waiting = [root];
    this.depth[root] = 1;
    for (let lane = waiting.pop(); lane !== undefined; lane = waiting.pop()) {
      this.position[lane] = this.order.push(lane) - 1;
      const children = this.weave.children.of(lane);
      for (let at = children.length - 1; at >= 0; at--) {
        const child = children[at];
        if (this.position[child] >= 0 || kind[child] !== TASK) continue;
        this.depth[child] = Math.min(this.depth[lane] + 1, DEEPEST);
        waiting.push(child);
      }
    }
  }

  private sum(): void {
    for (let at = this.order.length - 1; at >= 0; at--) {
      const lane = this.order[at];
      const parent = this.parent(lane);
      if (parent < 0) continue;
      this.below[parent] += this.below[lane] + 1;
      this.until[parent] = Math.max(this.until[parent], this.until[lane]);
    }
  }
}
