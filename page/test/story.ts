// A recording that looks like one of a real program: a crawler whose workers share a queue and a lock, and
// in which one step parses for 812 ms while all others wait. Names include some that mean harm.

import { Recording } from "./fixture.ts";
import { type Body, Simulation, type Task } from "./simulation.ts";
import { job, joined, Lock, never, Queue, readable, sleep } from "./waits.ts";

export const HOSTILE = "<img src=x onerror=\"document.title='broken'\">";
export const BLOCKED = 812e6;
export const STACK = `worker (app.py:88)
parse (app.py:41)
JSONDecoder.decode (/usr/lib/python3.13/json/decoder.py:345)`;

const ms = 1e6;
const WORKERS = 6;
const PAGES = 90;

/** The recording. */
export function story(): Recording {
  const recording = new Recording();
  recording.facts.command = "groundup run --record run.weave app.py";
  const loop = new Simulation(recording);
  loop.spawn("main", "main", ["app.py", 130], new Crawl(loop).main());
  loop.run(3000 * ms);
  closeWaits(recording);
  recording.add("marks", { time: 400 * ms, text: "cache warm" });
  recording.add("marks", { time: 1900 * ms, text: HOSTILE });
  for (const [at, took, generation] of [
    [210, 1.2, 0],
    [640, 0.9, 0],
    [1820, 14, 2],
    [2400, 1.4, 1],
  ]) {
    recording.add("collections", {
      began: at * ms,
      ended: (at + took) * ms,
      generation,
      taken: generation * 4100 + 120,
    });
  }
  recording.add("usage", { time: 0, kernel: 2 * ms, elsewhere: 5 * ms });
  recording.add("usage", { time: 3000 * ms, kernel: 42 * ms, elsewhere: 1205 * ms });
  recording.lost = 37;
  return recording;
}

/** What is waited for when the recording ends. */
function closeWaits(recording: Recording): void {
  recording.columns["waits.ended"].forEach((ended, at) => {
    if (Number.isNaN(ended)) recording.set("waits.ended", at, recording.ended);
  });
}

class Crawl {
  private readonly queue = new Queue<number>();
  private readonly lock = new Lock();
  private readonly saved: number;
  private readonly reader: number;
  private watchdog: Task | undefined;

  constructor(private readonly loop: Simulation) {
    const began = 1000;
    this.saved = loop.recording.add("lanes", {
      kind: 1,
      name: "on_saved",
      file: "app.py:61",
      parent: -1,
      began,
      ended: Number.NaN,
    });
    this.reader = loop.recording.add("lanes", {
      kind: 2,
      name: "descriptor",
      line: 5,
      parent: -1,
      began,
      ended: Number.NaN,
    });
  }

  *main(): Body {
    const { loop } = this;
    loop.work(2 * ms);
    for (let page = 0; page < PAGES; page++) this.queue.put(page);
    const workers: Task[] = [];
    for (let worker = 0; worker < WORKERS; worker++) {
      workers.push(loop.spawn(`worker-${worker}`, "worker", ["app.py", 122], this.worker(worker)));
    }
    loop.spawn("heartbeat", "heartbeat", ["app.py", 124], this.heartbeat());
    loop.spawn(HOSTILE, "shown_as_text", ["app.py", 125], this.patient());
    this.watchdog = loop.spawn("watchdog", "watchdog", ["app.py", 126], this.cancelled());
    for (const worker of workers)
      if (!worker.isOver) yield joined(worker, "main (app.py:130)", "gather (tasks.py:820)");
  }

  private *worker(number: number): Body {
    const { loop } = this;
    const chain = ["main (app.py:130)", `worker (app.py:${84})`];
    const socket = loop.recording.add("sockets", {
      descriptor: 9 + number,
      kind: "tcp",
      peer: `192.0.2.${10 + number}:443`,
      opened: loop.now,
      closed: Number.NaN,
    });
    for (let page = this.queue.take(); page !== undefined; page = this.queue.take()) {
      const fetch = loop.spawn(`fetch-${page}`, "fetch", ["app.py", 86], this.fetch(number, socket, page));
      yield joined(fetch, ...chain);
      const taken = this.lock.acquire(...chain, "Lock.acquire (locks.py:93)");
      if (taken) yield taken;
      this.parse(page);
      if (page % 5 === 0)
        yield job(loop, "save_to_disk", (3 + loop.random() * 9) * ms, ...chain, "save (app.py:70)");
      this.lock.release();
      loop.call(this.saved, () => loop.work((0.1 + loop.random()) * ms * 0.3));
    }
    if (number === 3) loop.fail(loop.lane, "raised", "ConnectionResetError(104, 'Connection reset by peer')");
    if (number !== 3) loop.recording.set("sockets.closed", socket, loop.now);
  }

  private parse(page: number): void {
    const { loop } = this;
    if (page !== 34) return loop.work((0.6 + loop.random() * 3 + (page % 17 === 9 ? 21 : 0)) * ms);
    loop.recording.add("stacks", { step: loop.step, text: STACK });
    this.cancelWatchdog();
    loop.work(BLOCKED);
  }

  private *fetch(worker: number, socket: number, page: number): Body {
    const { loop } = this;
    const chain = [`worker (app.py:84)`, `fetch (app.py:52)`];
    loop.work(0.2 * ms);
    this.transfer(socket, 0, 300);
    for (let part = 0; part < 2 + (page % 4); part++) {
      yield readable(
        loop,
        9 + worker,
        (4 + loop.random() * 26) * ms,
        ...chain,
        "StreamReader.read (streams.py:713)",
      );
      loop.work((0.1 + loop.random() * 0.5) * ms);
      this.transfer(socket, 1, 2000 + loop.random() * 60_000);
    }
    loop.call(this.reader, () => loop.work(0.05 * ms));
  }

  private transfer(socket: number, came: number, bytes: number): void {
    this.loop.work(8000);
    this.loop.recording.add("transfers", {
      socket,
      time: this.loop.now,
      came,
      bytes: Math.round(bytes),
      took: 7000,
    });
  }

  private *heartbeat(): Body {
    for (;;) {
      yield sleep(this.loop, 25 * ms, "heartbeat (app.py:99)", "sleep (tasks.py:665)");
      this.loop.work(0.05 * ms);
    }
  }

  /** Asks the watchdog to cancel itself, in the step that goes on. */
  private cancelWatchdog(): void {
    const { loop, watchdog } = this;
    if (watchdog) loop.recording.add("cancels", { lane: watchdog.lane, time: loop.now, step: loop.step });
  }

  private *patient(): Body {
    yield never("event", "patient (app.py:110)", "Event.wait (locks.py:212)");
  }

  private *cancelled(): Body {
    yield sleep(this.loop, 500 * ms, "watchdog (app.py:105)", "sleep (tasks.py:665)");
    this.loop.fail(this.loop.lane, "cancelled", "");
  }
}
