// A recording of a great many steps: tasks in pairs that wake each other, and sleep in between.

import { Recording } from "./fixture.ts";

/** One of `steps` steps, by `tasks` tasks; built flat, for a simulation would take its time. */
export function crowd(steps: number, tasks: number): Recording {
  const recording = new Recording();
  const ended = Number.NaN;
  for (let lane = 0; lane < tasks; lane++) {
    const parent = lane === 0 ? -1 : Math.floor((lane - 1) / 20);
    recording.add("lanes", {
      name: `Task-${lane + 1}`,
      coroutine: "play",
      file: "crowd.py",
      line: 7,
      parent,
      began: lane,
      ended,
    });
  }
  const chain = recording.chain("main (crowd.py:20)", "play (crowd.py:9)");
  const what = recording.intern("queue");
  const last = new Float64Array(tasks).fill(-1);
  let now = tasks;
  for (let step = 0; step < steps; step++) {
    const lane = (step * 7919) % tasks;
    const took = 1500 + ((step * 2654435761) % 3000) + (step === steps >> 1 ? 150e6 : 0);
    const woken = Math.max(0, now - 9000);
    if (last[lane] >= 0)
      recording.add("waits", { lane, began: last[lane], ended: woken, over: 1, what, chain });
    recording.add("steps", {
      lane,
      began: now,
      took,
      woken,
      causeKind: step > 3 ? 1 : 0,
      cause: Math.max(0, step - 3),
    });
    last[lane] = now + took;
    now += took + 500;
    if (step % 8 !== 0) continue;
    recording.add("polls", { began: now, ended: now + 2000, events: 1, ready: (step >> 6) % 40 });
    now += 2000;
  }
  sortWaits(recording);
  recording.ended = now;
  return recording;
}

/** By their beginning, as a recorder has them. */
function sortWaits(recording: Recording): void {
  const began = recording.columns["waits.began"];
  const order = Uint32Array.from(began.keys()).sort((a, b) => began[a] - began[b]);
  for (const column of ["lane", "began", "ended", "over", "what", "chain"]) {
    const values = recording.columns[`waits.${column}`];
    recording.columns[`waits.${column}`] = Array.from(order, (at) => values[at]);
  }
}
