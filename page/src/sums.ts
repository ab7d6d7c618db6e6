// How much time things side by side fill, and how long the longest of them is, for any part of their row.

import { Peaks } from "./peaks.ts";

/** Sums over things in a row. */
export class Sums {
  /** The total time of all before each place, and of all. */
  private readonly totals: Float64Array;
  private readonly peaks: Peaks;

  /** Over `items` (all, if null) in their order; their times are in `began` and `ended`. */
  constructor(items: Uint32Array | null, began: Float64Array, ended: Float64Array) {
    const length = items === null ? began.length : items.length;
    const lengths = new Float64Array(length);
    this.totals = new Float64Array(length + 1);
    for (let at = 0; at < length; at++) {
      const item = items === null ? at : items[at];
      lengths[at] = Math.max(0, ended[item] - began[item]);
      this.totals[at + 1] = this.totals[at] + lengths[at];
    }
    this.peaks = new Peaks(lengths);
  }

  /** How much time is filled by those from `first` to before `end`. */
  covered(first: number, end: number): number {
    return this.totals[end] - this.totals[first];
  }

  /** How long the longest of those from `first` to before `end` is. */
  longest(first: number, end: number): number {
    return this.peaks.greatest(first, end);
  }
}
