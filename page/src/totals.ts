// What the steps and waits of each lane come to.

import type { Weave } from "./weave.ts";

/** Sums by lane, in nanoseconds. */
export class Totals {
  readonly running: Float64Array;
  readonly longest: Float64Array;
  readonly ready: Float64Array;
  readonly waiting: Float64Array;

  constructor({ data, lag }: Pick<Weave, "data" | "lag">) {
    const { lanes, steps, waits } = data;
    this.running = new Float64Array(lanes.length);
    this.longest = new Float64Array(lanes.length);
    this.ready = new Float64Array(lanes.length);
    this.waiting = new Float64Array(lanes.length);
    for (let step = 0; step < steps.length; step++) {
      const [lane, took] = [steps.lane[step], steps.took[step]];
      this.running[lane] += took;
      if (took > this.longest[lane]) this.longest[lane] = took;
      if (lag[step] > 0) this.ready[lane] += lag[step];
    }
    for (let wait = 0; wait < waits.length; wait++) {
      this.waiting[waits.lane[wait]] += waits.ended[wait] - waits.began[wait];
    }
  }
}
