// A loop that is not there: runs generators as tasks, on a clock that only they move, and writes down what
// a recorder would. What a picture shows of it can be told beforehand.

import type { Recording } from "./fixture.ts";

/** What a task yields: what it waits for, and how it is told that it came. */
export interface Waiting {
  what: string;
  chain?: string[];
  start: (wake: () => void) => void;
}

export type Body = Generator<Waiting, void, void>;

interface Ready {
  run: () => void;
  lane: number;
  woken: number;
  causeKind: number;
  cause: number;
}

interface Due {
  time: number;
  causeKind: number;
  run: () => void;
}

/** A task as its maker sees it. */
export interface Task {
  lane: number;
  name: string;
  isOver: boolean;
  readonly whenOver: (() => void)[];
}

/** The loop. */
export class Simulation {
  now = 1000;
  step = -1;
  lane = -1;
  private cause = { kind: 0, number: 0 };
  private ready: Ready[] = [];
  private readonly due: Due[] = [];
  private seed = 1;

  constructor(readonly recording: Recording) {}

  /** The next of a fixed row of numbers that look as if by chance, from 0 to before 1. */
  random(): number {
    this.seed = (Math.imul(this.seed, 1664525) + 1013904223) >>> 0;
    return this.seed / 2 ** 32;
  }

  /** Uses the processor. */
  work(time: number): void {
    this.now += Math.round(time);
  }

  /** Does something later: a timer (cause 2), another thread (3), an event of the kernel (5). */
  later(time: number, causeKind: number, run: () => void): void {
    const at = { time: Math.round(time), causeKind, run };
    let place = this.due.length;
    while (place > 0 && this.due[place - 1].time < at.time) place--;
    this.due.splice(place, 0, at);
  }

  /** Makes a task. */
  spawn(name: string, coroutine: string, place: [string, number], body: Body): Task {
    const [file, line] = place;
    const lane = this.recording.add("lanes", {
      name,
      coroutine,
      file,
      line,
      parent: this.lane,
      began: this.now,
      ended: Number.NaN,
    });
    const task = { lane, name, isOver: false, whenOver: [] };
    this.enqueue(lane, () => this.resume(task, body));
    return task;
  }

  /** A call of a function by the loop. */
  call(lane: number, run: () => void): void {
    this.enqueue(lane, run);
  }

  /** Runs until nothing is left to do, or `end` has come. */
  run(end = Infinity): void {
    while ((this.ready.length > 0 || this.due.length > 0) && this.now < end) {
      this.poll();
      const batch = this.ready;
      this.ready = [];
      for (const entry of batch) this.take(entry);
    }
    this.recording.ended = this.now;
  }

  /** Ends a task as the exception does. */
  fail(lane: number, how: string, exception: string): void {
    this.recording.set("lanes.how", lane, this.recording.intern(how));
    this.recording.set("lanes.exception", lane, this.recording.intern(exception));
  }

  private poll(): void {
    const began = this.now;
    const ready = this.ready.length;
    this.now += 900;
    if (ready === 0) this.now = Math.max(this.now, this.due[this.due.length - 1].time);
    let events = 0;
    while (this.due.length > 0 && this.due[this.due.length - 1].time <= this.now) {
      const due = this.due.pop() as Due;
      if (due.causeKind !== 2) events++;
      this.cause = { kind: due.causeKind, number: 0 };
      due.run();
    }
    this.recording.add("polls", { began, ended: this.now, events, ready });
    this.now += 400;
  }

  private enqueue(lane: number, run: () => void): void {
    const isInStep = this.step >= 0;
    const [causeKind, cause] = isInStep ? [1, this.step] : [this.cause.kind, this.cause.number];
    this.ready.push({ lane, run, woken: this.now, causeKind, cause });
  }

  private take({ lane, run, woken, causeKind, cause }: Ready): void {
    const began = this.now;
    this.step = this.recording.add("steps", { lane, began, woken, causeKind, cause });
    this.lane = lane;
    this.work(1500);
    run();
    this.work(500);
    this.recording.set("steps.took", this.step, this.now - began);
    this.step = -1;
    this.lane = -1;
    this.now += 300;
  }

  private resume(task: Task, body: Body): void {
    const { done, value } = body.next();
    if (done) return this.finish(task);
    const wait = this.recording.add("waits", {
      lane: task.lane,
      began: this.now,
      ended: Number.NaN,
      what: value.what,
      chain: value.chain ? this.recording.chain(...value.chain) : 0,
    });
    value.start(() => {
      this.recording.set("waits.ended", wait, this.now);
      this.recording.set("waits.over", wait, 1);
      this.enqueue(task.lane, () => this.resume(task, body));
    });
  }

  private finish(task: Task): void {
    const { recording } = this;
    recording.set("lanes.ended", task.lane, this.now);
    if (recording.columns["lanes.how"][task.lane] === 0) this.fail(task.lane, "returned", "");
    task.isOver = true;
    for (const wake of task.whenOver) wake();
  }
}
