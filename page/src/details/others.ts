// The details of what is no lane's: connections, executor jobs, collections, polls, marks, the recording.

import { count, counted, size } from "../count.ts";
import { el, facts } from "../element.ts";
import { legend } from "../legend.ts";
import type { Scene, Thing } from "../scene.ts";
import { clock, duration, moment } from "../time.ts";
import { TASK } from "../weave.ts";
import { socketName } from "../words.ts";
import { heading } from "./parts.ts";

/** What there is to say while nothing is chosen. */
export function describeRecording({ weave }: Scene): Node[] {
  const { data, used } = weave;
  const { lanes, steps, waits, sockets, polls, lost } = data;
  const tasks = lanes.kind.reduce((sum, kind) => sum + (kind === TASK ? 1 : 0), 0);
  return [
    el("h2", {}, "This recording"),
    facts(
      ["began", clock(0, data.wall)],
      ["lasted", duration(data.ended)],
      ["process", String(data.process)],
      ...Object.entries(data.facts),
      ["tasks", count(tasks)],
      ["steps", count(steps.length)],
      ["waits", count(waits.length)],
      ["polls", count(polls.length)],
      ["connections", count(sockets.length)],
      used ? ["in the kernel", duration(used.kernel)] : null,
      used ? ["ran elsewhere", duration(used.elsewhere)] : null,
      ["lost", lost > 0 ? counted(lost, "record") : "nothing"],
    ),
    el("h3", {}, "What you see"),
    legend(),
    el("p", { class: "quiet" }, "Click a bar, a line or a name to see what it was. Press ? for the keys."),
  ];
}

/** A connection in full. */
export function describeSocket({ weave }: Scene, socket: number): Node[] {
  const { opened, closed, descriptor, peer } = weave.data.sockets;
  const { came, bytes, took } = weave.data.transfers;
  const transfers = weave.transfersOf.of(socket);
  let [read, written, kernel] = [0, 0, 0];
  for (const it of transfers) {
    if (came[it]) read += bytes[it];
    else written += bytes[it];
    kernel += took[it];
  }
  return [
    heading("Connection", socketName(weave, socket)),
    facts(
      ["descriptor", String(descriptor[socket])],
      ["peer", weave.text(peer[socket])],
      ["opened", moment(opened[socket])],
      ["closed", Number.isNaN(closed[socket]) ? "not before the recording ended" : moment(closed[socket])],
      ["read", size(read)],
      ["written", size(written)],
      ["transfers", count(transfers.length)],
      ["in the kernel", duration(kernel)],
    ),
  ];
}

/** What an executor did. */
export function describeJob(scene: Scene, job: number): Node[] {
  const { jobs } = scene.weave.data;
  const name = scene.weave.text(jobs.function[job]);
  return [heading("Executor job", name), times(scene, { kind: "job", index: job })];
}

/** What the program said. */
export function describeMark(scene: Scene, mark: number): Node[] {
  const { marks } = scene.weave.data;
  return [heading("Mark", scene.weave.text(marks.text[mark])), facts(["at", moment(marks.time[mark])])];
}

/** A collection of garbage. */
export function describeCollection(scene: Scene, collection: number): Node[] {
  const { generation, taken } = scene.weave.data.collections;
  return [
    heading("Garbage collection", ""),
    times(scene, { kind: "collection", index: collection }),
    facts(["generation", String(generation[collection])], ["objects taken", count(taken[collection])]),
  ];
}

/** A question for events. */
export function describePoll(scene: Scene, poll: number): Node[] {
  const { events, ready } = scene.weave.data.polls;
  return [
    heading("Poll", "the loop asks the kernel for events"),
    times(scene, { kind: "poll", index: poll }),
    facts(["events", count(events[poll])], ["ready before", count(ready[poll])]),
  ];
}

function times(scene: Scene, thing: Thing): HTMLElement {
  const [from, to] = scene.times(thing);
  const took = el("strong", {}, duration(to - from));
  return facts(["took", took], ["began", moment(from)], ["ended", moment(to)]);
}
