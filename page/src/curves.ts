// What goes up and down along the time: the ready queue, the loop's lag, how busy it was, bytes. Each can
// be asked for any stretch of time.

import { Grouping } from "./grouping.ts";
import { firstBeyond } from "./order.ts";
import { Peaks } from "./peaks.ts";
import type { Weave } from "./weave.ts";

/** Curves of a weave. */
export class Curves {
  /** The greatest values in the whole recording. */
  readonly mostReady: number;
  readonly mostLag: number;
  private readonly ready: Peaks;
  private readonly lag: Peaks;
  private readonly turns: Peaks;
  private readonly transfers: { group: Grouping; sums: Float64Array }[];

  constructor(private readonly weave: Weave) {
    const { polls, steps } = weave.data;
    this.ready = new Peaks(polls.ready);
    this.lag = new Peaks(weave.lag);
    this.turns = new Peaks(turnsOf(weave));
    this.mostReady = this.ready.greatest(0, polls.length);
    const longestTurn = this.turns.greatest(0, polls.length + 1);
    this.mostLag = Math.max(this.lag.greatest(0, steps.length), longestTurn);
    this.transfers = [0, 1].map((came) => this.bytesBySocket(came));
  }

  /** The longest that the ready queue was in `from..to`. */
  readyIn(from: number, to: number): number {
    const { began } = this.weave.data.polls;
    const first = indexOf(began, from);
    // Where no poll is near, that before tells.
    return this.ready.greatest(Math.max(first - 1, 0), Math.max(indexOf(began, to), first));
  }

  /**
   * The longest that something had to wait in `from..to`: a step that stood ready, or an event of which the
   * loop could not hear, since it did not ask between two polls.
   */
  lagIn(from: number, to: number): number {
    const { steps, polls } = this.weave.data;
    const ready = this.lag.greatest(indexOf(steps.began, from), indexOf(steps.began, to));
    const [first, end] = [indexOf(polls.began, from), indexOf(polls.began, to)];
    // The turn under way at the end counts, unless the loop then sleeps.
    const isAsleep = end > 0 && polls.ended[end - 1] >= to;
    return Math.max(ready, this.turns.greatest(first, isAsleep ? end : end + 1));
  }

  /** The longest step that ran in `from..to`. */
  longestIn(from: number, to: number): number {
    const { began } = this.weave.data.steps;
    const first = indexOf(began, from);
    const before = first > 0 && this.weave.stepEnded[first - 1] > from ? first - 1 : first;
    return this.weave.steps.longest(before, indexOf(began, to));
  }

  /** What part of `from..to` the loop spent in steps. */
  busyIn(from: number, to: number): number {
    const { began } = this.weave.data.steps;
    const first = indexOf(began, from);
    const before = first > 0 ? Math.max(0, Math.min(this.weave.stepEnded[first - 1], to) - from) : 0;
    return Math.min(1, (before + this.weave.steps.covered(first, indexOf(began, to))) / (to - from));
  }

  /** The bytes that came (1) or went (0) through a socket in `from..to`. */
  bytesIn(socket: number, came: number, from: number, to: number): number {
    const { group, sums } = this.transfers[came];
    const { time } = this.weave.data.transfers;
    const [start, end] = [group.starts[socket], group.starts[socket + 1]];
    const at = (limit: number) => firstBeyond(start, end, (it) => time[group.items[it]] >= limit);
    return sums[at(to)] - sums[at(from)];
  }

  private bytesBySocket(came: number): { group: Grouping; sums: Float64Array } {
    const { transfers, sockets } = this.weave.data;
    const ownerOf = Int32Array.from(transfers.socket, (socket, at) =>
      transfers.came[at] === came ? socket : -1,
    );
    const group = new Grouping(ownerOf, sockets.length);
    const sums = new Float64Array(group.items.length + 1);
    group.items.forEach((transfer, at) => {
      sums[at + 1] = sums[at] + transfers.bytes[transfer];
    });
    return { group, sums };
  }
}

/** How long the loop was away before each poll, and after the last. */
function turnsOf({ data }: Weave): Float64Array {
  const { polls, ended } = data;
  const turns = new Float64Array(polls.length + 1);
  for (let at = 1; at <= polls.length; at++) {
    turns[at] = (at < polls.length ? polls.began[at] : ended) - polls.ended[at - 1];
  }
  return turns;
}

function indexOf(began: Float64Array, time: number): number {
  return firstBeyond(0, began.length, (at) => began[at] >= time);
}
