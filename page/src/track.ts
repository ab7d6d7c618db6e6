// What lies side by side on a line of the picture, and how it is drawn at any scale: what is wide enough
// by itself, what is narrower than a pixel together. The cost follows the pixels, not the things.

import { firstBeyond } from "./order.ts";
import { Sums } from "./sums.ts";
import type { View } from "./view.ts";

/** What is drawn at one place: `count` things from `first` on; `cover` of the place is filled. */
export interface Run {
  left: number;
  right: number;
  first: number;
  count: number;
  cover: number;
}

/** How many things before the first in view may reach into it: a step may lie within another. */
const NESTED = 16;

/** Stretches of time in the order in which they begin. */
export class Track {
  /** Of the things `items` (all, if null) whose times are in `began` and `ended`. */
  constructor(
    private readonly items: Uint32Array | null,
    private readonly began: Float64Array,
    private readonly ended: Float64Array,
    private readonly sums: Sums,
    private readonly offset = 0,
    readonly length = items === null ? began.length : items.length,
  ) {}

  /** A track with sums of its own. */
  static of(items: Uint32Array | null, began: Float64Array, ended: Float64Array): Track {
    return new Track(items, began, ended, new Sums(items, began, ended));
  }

  /** The number of the thing at a place. */
  item(at: number): number {
    return this.items === null ? at : this.items[at];
  }

  /** The place of the last that begins at `time` or before, -1 if none does. */
  last(time: number): number {
    return firstBeyond(0, this.length, (at) => this.began[this.item(at)] > time) - 1;
  }

  /** The place of what contains `time`, or comes within `slack` of it; -1 if nothing does. */
  find(time: number, slack: number): number {
    let [best, distance] = [-1, slack];
    const end = this.last(time + slack);
    for (let at = end; at >= 0 && at > end - NESTED; at--) {
      const [began, ended] = [this.began[this.item(at)], this.ended[this.item(at)]];
      if (began <= time && time <= ended) return at;
      const away = began > time ? began - time : time - ended;
      if (away <= distance) [best, distance] = [at, away];
    }
    return best;
  }

  /** How much time is filled by those from `first` to before `end`. */
  covered(first: number, end: number): number {
    return this.sums.covered(this.offset + first, this.offset + end);
  }

  /** How long the longest of those from `first` to before `end` is. */
  longest(first: number, end: number): number {
    return this.sums.longest(this.offset + first, this.offset + end);
  }

  /** Hands all that lies in `view`, on `width` pixels, to `draw`: from left to right, one run after another. */
  runs(view: View, width: number, draw: (run: Run) => void): void {
    const scale = width / view.span;
    const run: Run = { left: 0, right: 0, first: 0, count: 0, cover: 0 };
    for (let at = this.firstIn(view); at < this.length; at += run.count) {
      const item = this.item(at);
      if (this.began[item] >= view.to) break;
      this.measure(run, at, view.from, scale);
      draw(run);
    }
  }

  private measure(run: Run, at: number, from: number, scale: number): void {
    const item = this.item(at);
    run.first = at;
    run.left = (this.began[item] - from) * scale;
    run.right = (this.ended[item] - from) * scale;
    run.count = 1;
    run.cover = 1;
    if (run.right - run.left >= 1) return;
    run.left = Math.floor(run.left);
    run.right = run.left + 1;
    const end = this.gallop(at, from + run.right / scale);
    // The last may begin here and reach far beyond: it is drawn by itself.
    const isLong =
      end - at > 1 && this.ended[this.item(end - 1)] - this.began[this.item(end - 1)] >= 1 / scale;
    run.count = Math.max(1, end - at - (isLong ? 1 : 0));
    run.cover = Math.min(1, this.covered(at, at + run.count) * scale);
  }

  /** The first after `at` that begins at `time` or later: near ones are found fast. */
  private gallop(at: number, time: number): number {
    let [low, step] = [at + 1, 1];
    while (low + step < this.length && this.began[this.item(low + step)] < time) {
      low += step;
      step *= 2;
    }
    return firstBeyond(low, Math.min(low + step, this.length), (it) => this.began[this.item(it)] >= time);
  }

  private firstIn(view: View): number {
    let first = Math.max(this.last(view.from), 0);
    for (let at = first; at >= 0 && at > first - NESTED; at--) {
      if (this.ended[this.item(at)] > view.from) first = at;
    }
    return first;
  }
}
