// The greatest value of any stretch of a long row of numbers, without looking at each: for curves that
// show a million values in a thousand pixels and lose no peak.

const FACTOR = 16;

/** A row of numbers with the maxima of 16, 256, … of them. */
export class Peaks {
  private readonly levels: ArrayLike<number>[];

  /** Looks at every value once; what is no number counts as 0. */
  constructor(values: ArrayLike<number>) {
    this.levels = [values];
    for (let below = values; below.length > FACTOR; ) {
      const level = new Float64Array(Math.ceil(below.length / FACTOR));
      for (let at = 0; at < below.length; at++) {
        const block = Math.floor(at / FACTOR);
        if (below[at] > level[block]) level[block] = below[at];
      }
      this.levels.push(level);
      below = level;
    }
  }

  /** The greatest of the values from `first` to before `end`, 0 if there are none. */
  greatest(first: number, end: number): number {
    let peak = 0;
    for (let level = 0; first < end; level++) {
      const values = this.levels[level];
      const isTop = level === this.levels.length - 1;
      while (first < end && (isTop || first % FACTOR !== 0)) peak = Math.max(peak, values[first++] || 0);
      while (first < end && end % FACTOR !== 0) peak = Math.max(peak, values[--end] || 0);
      first /= FACTOR;
      end /= FACTOR;
    }
    return peak;
  }
}
