// Looking things up in what is ordered: halving, and the greatest few.

/** The first of `low..high` for which `isBeyond` holds; it must hold for all after that. */
export function firstBeyond(low: number, high: number, isBeyond: (at: number) => boolean): number {
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBeyond(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The numbers of the `count` greatest values, greatest first; what is no number is left out. */
export function greatest(values: ArrayLike<number>, count: number): number[] {
  let kept: number[] = [];
  let least = -Infinity;
  const best = (all: number[]) => all.sort((a, b) => values[b] - values[a] || a - b).slice(0, count);
  for (let at = 0; at < values.length; at++) {
    if (!(values[at] > least)) continue;
    kept.push(at);
    // Sorted rarely: each time raises what the next must exceed.
    if (kept.length < 4 * count) continue;
    kept = best(kept);
    least = values[kept[kept.length - 1]];
  }
  return best(kept);
}
