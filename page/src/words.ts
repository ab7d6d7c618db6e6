// Things of the weave in words, for hints, details and tables.

import { counted } from "./count.ts";
import type { Kind, Scene, Thing } from "./scene.ts";
import { duration } from "./time.ts";
import { BLOCKING, Cause, LONG, TASK, type Weave } from "./weave.ts";

const SIGNALS: Record<number, string> = {
  1: "SIGHUP",
  2: "SIGINT",
  3: "SIGQUIT",
  10: "SIGUSR1",
  12: "SIGUSR2",
  15: "SIGTERM",
  17: "SIGCHLD",
};

/** How grave a step of that length is: "blocking", "long", or empty. */
export function gradeOf(took: number): string {
  return took >= BLOCKING ? "blocking" : took >= LONG ? "long" : "";
}

/** What put a step on the ready queue. */
export function causeOf(weave: Weave, step: number): string {
  const { causeKind, cause } = weave.data.steps;
  switch (causeKind[step]) {
    case Cause.step:
      return weave.fullName(weave.data.steps.lane[cause[step]]);
    case Cause.timer:
      return "a timer";
    case Cause.thread:
      return "another thread";
    case Cause.signal:
      return SIGNALS[cause[step]] ?? `signal ${cause[step]}`;
    case Cause.poll:
      return "an event of the kernel";
    default:
      return "not known";
  }
}

/** How a task stands at the end of the recording; empty for other lanes. */
export function outcomeOf({ data }: Weave, lane: number): string {
  if (data.lanes.kind[lane] !== TASK) return "";
  const how = data.strings[data.lanes.how[lane]];
  if (Number.isNaN(data.lanes.ended[lane])) return "not finished";
  const exception = data.strings[data.lanes.exception[lane]];
  return exception ? `${how}: ${exception}` : how || "finished";
}

/** What is said of each kind of thing, given how long it took. */
const HINTS: Record<Kind, (weave: Weave, index: number, took: string) => string[]> = {
  step: (weave, step, took) => [
    weave.fullName(weave.data.steps.lane[step]),
    `step of ${took}`,
    `woken by ${causeOf(weave, step)}${readiness(weave, step)}`,
  ],
  wait: (weave, wait, took) => [
    weave.fullName(weave.data.waits.lane[wait]),
    `waited ${took} for ${weave.text(weave.data.waits.what[wait]) || "something"}`,
  ],
  lane: (weave, lane) => [weave.fullName(lane), weave.place(lane), outcomeOf(weave, lane)],
  poll: ({ data: { polls } }, poll, took) => [
    `The loop asked the kernel, and slept ${took}`,
    counted(polls.events[poll], "event"),
  ],
  collection: ({ data: { collections } }, at, took) => [
    `Garbage collection, generation ${collections.generation[at]}: ${took}`,
    `${counted(collections.taken[at], "object")} taken`,
  ],
  mark: (weave, mark) => [weave.text(weave.data.marks.text[mark])],
  job: (weave, job, took) => [weave.text(weave.data.jobs.function[job]), `executor job of ${took}`],
  socket: (weave, socket, took) => [socketName(weave, socket), `open for ${took}`],
};

/** A thing in one to three lines. */
export function hintFor(scene: Scene, { kind, index }: Thing): string[] {
  const [from, to] = scene.times({ kind, index });
  return HINTS[kind](scene.weave, index, duration(to - from)).filter((line) => line !== "");
}

/** What a connection is called. */
export function socketName(weave: Weave, socket: number): string {
  const { kind, peer, descriptor } = weave.data.sockets;
  const name = `${weave.text(kind[socket]) || "socket"} ${descriptor[socket]}`;
  return weave.text(peer[socket]) ? `${name} · ${weave.text(peer[socket])}` : name;
}

function readiness({ lag }: Weave, step: number): string {
  return lag[step] > 0 ? `, stood ready ${duration(lag[step])}` : "";
}
