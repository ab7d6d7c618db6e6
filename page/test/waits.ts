// What tasks of a simulation wait for: timers, locks, queues, each other, the kernel, and threads.

import type { Simulation, Task, Waiting } from "./simulation.ts";

/** A time that passes. */
export function sleep(loop: Simulation, time: number, ...chain: string[]): Waiting {
  return { what: "timer", chain, start: (wake) => loop.later(loop.now + time, 2, wake) };
}

/** An event of the kernel, after some time. */
export function readable(loop: Simulation, descriptor: number, time: number, ...chain: string[]): Waiting {
  return {
    what: `socket ${descriptor} readable`,
    chain,
    start: (wake) => loop.later(loop.now + time, 5, wake),
  };
}

/** Another thread's work. */
export function job(loop: Simulation, name: string, time: number, ...chain: string[]): Waiting {
  const began = loop.now;
  return {
    what: `executor job ${name}`,
    chain,
    start: (wake) => {
      loop.recording.add("jobs", { function: name, began, ended: began + time });
      loop.later(began + time, 3, wake);
    },
  };
}

/** The end of another task. */
export function joined(task: Task, ...chain: string[]): Waiting {
  return { what: `task ${task.name}`, chain, start: (wake) => void task.whenOver.push(wake) };
}

/** Something that never comes. */
export function never(what: string, ...chain: string[]): Waiting {
  return { what, chain, start: () => undefined };
}

/** A lock: who finds it taken waits in line. */
export class Lock {
  private isTaken = false;
  private readonly line: (() => void)[] = [];

  /** Takes it if it is free; else gives what to wait for. */
  acquire(...chain: string[]): Waiting | undefined {
    if (this.isTaken) return { what: "lock", chain, start: (wake) => void this.line.push(wake) };
    this.isTaken = true;
    return undefined;
  }

  /** Hands it on. */
  release(): void {
    const next = this.line.shift();
    if (next) next();
    else this.isTaken = false;
  }
}

/** A queue without a limit. */
export class Queue<Item> {
  private readonly items: Item[] = [];
  private readonly line: (() => void)[] = [];

  put(item: Item): void {
    this.items.push(item);
    this.line.shift()?.();
  }

  /** The next item; `undefined` means that one has to wait with `wait`. */
  take(): Item | undefined {
    return this.items.shift();
  }

  wait(...chain: string[]): Waiting {
    return { what: "queue", chain, start: (wake) => void this.line.push(wake) };
  }
}
