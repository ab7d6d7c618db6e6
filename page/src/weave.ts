// The weave: a recording's data with what follows from them, put so that each question has a short
// answer: whose step, woken by what, after what wait. It knows nothing of how it is shown.

import type { Data } from "./data.ts";
import { Grouping } from "./grouping.ts";
import { firstBeyond, greatest } from "./order.ts";
import { Sums } from "./sums.ts";
import { Totals } from "./totals.ts";
import { Track } from "./track.ts";

/** What a lane stands for. */
export const TASK = 0;
export const CALLBACK = 1;
export const DESCRIPTOR = 2;

/** What made a step ready. */
export const Cause = { unknown: 0, step: 1, timer: 2, thread: 3, signal: 4, poll: 5 } as const;

/** From here on a step is long: it is felt. From the second on it blocks: asyncio's debug mode warns too. */
export const LONG = 10e6;
export const BLOCKING = 100e6;

/** How many of the longest are kept at hand. */
const LONGEST = 500;

/** A recording, and what follows from it. */
export class Weave {
  /** When each step ended. */
  readonly stepEnded: Float64Array;
  /** How long each step stood ready before it began; NaN if that is not known. */
  readonly lag: Float64Array;
  /** The steps and the waits of each lane, the transfers of each socket. */
  readonly stepsOf: Grouping;
  readonly waitsOf: Grouping;
  readonly transfersOf: Grouping;
  /** The requests to cancel each lane, and those that each step made. */
  readonly cancelsOf: Grouping;
  readonly cancelsBy: Grouping;
  /** The tasks that each task made. */
  readonly children: Grouping;
  /** What lanes' steps and waits come to. */
  readonly totals: Totals;
  /** The longest steps and waits, longest first. */
  readonly longestSteps: number[];
  readonly longestWaits: number[];
  /** All steps, and all polls, as tracks. */
  readonly steps: Track;
  readonly polls: Track;
  private readonly stepSums: Sums;
  private readonly waitSums: Sums;
  private readonly stacks: Map<number, number>;
  private wokenBy: Grouping | undefined;
  private greatestLag: number | undefined;

  constructor(readonly data: Data) {
    const { lanes, steps, waits, polls, sockets, transfers, cancels } = data;
    this.stepEnded = steps.began.map((began, at) => began + steps.took[at]);
    this.lag = steps.began.map((began, at) => began - steps.woken[at]);
    this.stepsOf = new Grouping(steps.lane, lanes.length);
    this.waitsOf = new Grouping(waits.lane, lanes.length);
    this.transfersOf = new Grouping(transfers.socket, sockets.length);
    this.cancelsOf = new Grouping(cancels.lane, lanes.length);
    this.cancelsBy = new Grouping(cancels.step, steps.length);
    this.children = new Grouping(lanes.parent, lanes.length);
    this.stepSums = new Sums(this.stepsOf.items, steps.began, this.stepEnded);
    this.waitSums = new Sums(this.waitsOf.items, waits.began, waits.ended);
    this.steps = Track.of(null, steps.began, this.stepEnded);
    this.polls = Track.of(null, polls.began, polls.ended);
    this.totals = new Totals(this);
    this.longestSteps = greatest(steps.took, LONGEST);
    this.longestWaits = greatest(
      waits.ended.map((ended, at) => ended - waits.began[at]),
      LONGEST,
    );
    this.stacks = new Map(Array.from(data.stacks.step, (step, at) => [step, data.stacks.text[at]]));
  }

  /** The text of that number. */
  text(index: number): string {
    return this.data.strings[index];
  }

  /** What a lane is called. */
  name(lane: number): string {
    const { kind, name, line } = this.data.lanes;
    if (kind[lane] === DESCRIPTOR) return `${this.text(name[lane]) || "descriptor"} ${line[lane]}`;
    return this.text(name[lane]) || "(no name)";
  }

  /** What a task runs; empty for others. */
  coroutine(lane: number): string {
    return this.text(this.data.lanes.coroutine[lane]);
  }

  /** A lane's name and, for a task, what it runs. */
  fullName(lane: number): string {
    const coroutine = this.coroutine(lane);
    return coroutine && coroutine !== this.name(lane) ? `${this.name(lane)} · ${coroutine}` : this.name(lane);
  }

  /** The file and the line where a task was made, or a function stands; empty if not known. */
  place(lane: number): string {
    const { kind, file, line } = this.data.lanes;
    const path = this.text(file[lane]);
    return path && line[lane] > 0 && kind[lane] === TASK ? `${path}:${line[lane]}` : path;
  }

  /** The steps of a lane, as a track. */
  stepTrack(lane: number): Track {
    const { began } = this.data.steps;
    return new Track(this.stepsOf.of(lane), began, this.stepEnded, this.stepSums, this.stepsOf.starts[lane]);
  }

  /** The waits of a lane, as a track. */
  waitTrack(lane: number): Track {
    const { began, ended } = this.data.waits;
    return new Track(this.waitsOf.of(lane), began, ended, this.waitSums, this.waitsOf.starts[lane]);
  }

  /** The step of the same lane `by` places further, -1 if there is none. */
  neighbour(step: number, by: number): number {
    const steps = this.stepsOf.of(this.data.steps.lane[step]);
    const at = firstBeyond(0, steps.length, (it) => steps[it] >= step) + by;
    return at >= 0 && at < steps.length ? steps[at] : -1;
  }

  /** The place of a step among those of its lane, from 0. */
  ordinal(step: number): number {
    const steps = this.stepsOf.of(this.data.steps.lane[step]);
    return firstBeyond(0, steps.length, (it) => steps[it] >= step);
  }

  /** What the lane waited for before a step, -1 if nothing. */
  waitBefore(step: number): number {
    const { lane, began } = this.data.steps;
    const track = this.waitTrack(lane[step]);
    const at = track.last(began[step]);
    if (at < 0) return -1;
    const previous = this.neighbour(step, -1);
    // Not one that an earlier step followed.
    const isOwn = previous < 0 || this.data.waits.began[track.item(at)] >= began[previous];
    return isOwn ? track.item(at) : -1;
  }

  /** What a task that never finished still waits for, -1 if nothing. */
  openWait(lane: number): number {
    const wait = this.waitsOf.of(lane).at(-1) ?? -1;
    const isOpen = wait >= 0 && !this.data.waits.over[wait] && Number.isNaN(this.data.lanes.ended[lane]);
    return isOpen ? wait : -1;
  }

  /** The last step of a lane that began at `time` or before, and the first after; -1 where there is none. */
  stepsAround(lane: number, time: number): [number, number] {
    const track = this.stepTrack(lane);
    const at = track.last(time);
    return [at < 0 ? -1 : track.item(at), at + 1 < track.length ? track.item(at + 1) : -1];
  }

  /** The step that put this one on the ready queue, -1 if no step did. */
  waker(step: number): number {
    const { causeKind, cause } = this.data.steps;
    return causeKind[step] === Cause.step ? cause[step] : -1;
  }

  /** The steps that a step put on the ready queue. */
  woken(step: number): Uint32Array {
    const { length, causeKind, cause } = this.data.steps;
    this.wokenBy ??= new Grouping(
      Int32Array.from(cause, (by, at) => (causeKind[at] === Cause.step ? by : -1)),
      length,
    );
    return this.wokenBy.of(step);
  }

  /** Who awaits whom, outermost first. */
  chain(index: number): string[] {
    const { name, rest } = this.data.chains;
    const names = [];
    // A damaged one may go in a circle.
    for (let at = index; at > 0 && names.length < 1000; at = rest[at]) names.push(this.text(name[at]));
    return names;
  }

  /** How long the thread was in the kernel, and how long elsewhere; nothing if that is not known. */
  get used(): { kernel: number; elsewhere: number } | undefined {
    const { kernel, elsewhere, length } = this.data.usage;
    if (length < 2) return undefined;
    return { kernel: kernel[length - 1] - kernel[0], elsewhere: elsewhere[length - 1] - elsewhere[0] };
  }

  /** The stack of a step, taken while it blocked; empty if there is none. */
  stack(step: number): string {
    return this.text(this.stacks.get(step) ?? 0);
  }

  /** How many were ready before a step ended and began only after it. */
  delayedBy(step: number): number {
    const { began, woken, length } = this.data.steps;
    const end = this.stepEnded[step];
    this.greatestLag ??= this.lag.reduce((most, lag) => Math.max(most, lag || 0), 0);
    let delayed = 0;
    // Nothing stood ready for longer than that: what begins later became ready later.
    for (let it = step + 1; it < length && began[it] - end <= this.greatestLag; it++) {
      if (woken[it] < end && began[it] >= end) delayed++;
    }
    return delayed;
  }
}
