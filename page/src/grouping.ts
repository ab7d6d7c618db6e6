// Things by their owner: the steps of each lane, the children of each task. Two flat arrays, whatever
// their number, and within an owner the order they had.

/** Numbers of things, by the number of their owner. */
export class Grouping {
  /** All things, those of one owner side by side. */
  readonly items: Uint32Array;
  /** Where each owner's things begin in `items`; one more than there are owners. */
  readonly starts: Uint32Array;

  /** Groups 0, 1, … by `ownerOf[it]`, of `owners`; those with a negative owner belong to nobody. */
  constructor(ownerOf: ArrayLike<number>, owners: number) {
    this.starts = new Uint32Array(owners + 1);
    for (let it = 0; it < ownerOf.length; it++) {
      if (ownerOf[it] >= 0) this.starts[ownerOf[it] + 1]++;
    }
    for (let owner = 0; owner < owners; owner++) this.starts[owner + 1] += this.starts[owner];
    this.items = new Uint32Array(this.starts[owners]);
    const next = this.starts.slice(0, owners);
    for (let it = 0; it < ownerOf.length; it++) {
      if (ownerOf[it] >= 0) this.items[next[ownerOf[it]]++] = it;
    }
  }

  /** What belongs to `owner`. */
  of(owner: number): Uint32Array {
    return this.items.subarray(this.starts[owner], this.starts[owner + 1]);
  }
}
