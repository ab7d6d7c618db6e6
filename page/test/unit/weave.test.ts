import { expect, test } from "vitest";
import { readBytes } from "../../src/data.ts";
import { Scene } from "../../src/scene.ts";
import { matches } from "../../src/search.ts";
import { placeIn } from "../../src/stack.ts";
import { connectionsTable } from "../../src/tables/connections.ts";
import { coroutines } from "../../src/tables/coroutines.ts";
import { lanesTable, unfinishedTable } from "../../src/tables/lanes.ts";
import { stepsTable } from "../../src/tables/steps.ts";
import type { Contents } from "../../src/tables/table.ts";
import { contentions, contentionTable, waitsTable } from "../../src/tables/waits.ts";
import { waiterIn } from "../../src/waiting.ts";
import { Weave } from "../../src/weave.ts";
import { causeOf } from "../../src/words.ts";
import { Recording } from "../fixture.ts";
import { BLOCKED, HOSTILE, STACK, story } from "../story.ts";

const scene = new Scene(new Weave(readBytes(story().bytes())));
const { weave } = scene;
const { steps, waits, lanes } = weave.data;

/** What a table says in its first row. */
function firstRow(contents: Contents): string[] {
  return contents.columns.map(({ text }) => text(contents.rows[0]));
}

/** Two tasks: the first wakes the second, which waited for a lock. */
function pair(): Weave {
  const recording = new Recording();
  recording.add("lanes", {
    name: "Task-1",
    coroutine: "owner",
    file: "a.py",
    line: 3,
    parent: -1,
    ended: 90,
    how: "returned",
  });
  recording.add("lanes", {
    name: "Task-2",
    coroutine: "waiter",
    file: "a.py",
    line: 4,
    parent: 0,
    ended: Number.NaN,
  });
  recording.add("steps", { lane: 1, began: 0, took: 5, woken: Number.NaN });
  recording.add("waits", {
    lane: 1,
    began: 5,
    ended: 20,
    over: 1,
    what: "lock",
    chain: recording.chain("main (a.py:1)", "waiter (a.py:9)"),
  });
  recording.add("steps", { lane: 0, began: 10, took: 20, woken: 8, causeKind: 2 });
  recording.add("steps", { lane: 1, began: 31, took: 4, woken: 20, causeKind: 1, cause: 1 });
  recording.ended = 100;
  return new Weave(readBytes(recording.bytes()));
}

test("a step knows what woke it, and whom it woke", () => {
  const it = pair();
  expect(it.waker(2)).toBe(1);
  expect([...it.woken(1)]).toEqual([2]);
  expect([0, 1, 2].map((step) => causeOf(it, step))).toEqual(["not known", "a timer", "Task-1 · owner"]);
  expect([it.lag[0], it.lag[1], it.lag[2]]).toEqual([Number.NaN, 2, 11]);
});

test("a step knows its wait and its neighbours", () => {
  const it = pair();
  expect([it.waitBefore(0), it.waitBefore(1), it.waitBefore(2)]).toEqual([-1, -1, 0]);
  expect([it.neighbour(0, 1), it.neighbour(2, -1), it.neighbour(2, 1)]).toEqual([2, 0, -1]);
  expect(it.stepsAround(1, 10)).toEqual([0, 2]);
  expect(it.chain(it.data.waits.chain[0])).toEqual(["main (a.py:1)", "waiter (a.py:9)"]);
});

test("sums are those of the steps and the waits", () => {
  const { running, longest, ready, waiting } = pair().totals;
  expect([...running, ...longest, ...ready, ...waiting]).toEqual([20, 9, 20, 5, 2, 11, 0, 15]);
});

test("a step that keeps others waiting knows how many", () => {
  expect(pair().delayedBy(1)).toBe(1);
  expect(pair().delayedBy(2)).toBe(0);
});

test("chains in a circle end", () => {
  const recording = new Recording();
  recording.add("chains", { name: "a", rest: 1 });
  expect(new Weave(readBytes(recording.bytes())).chain(1)).toHaveLength(1000);
});

test("the longest step stands first in its table, with its stack", () => {
  const table = stepsTable(scene);
  const [step] = table.rows;
  expect(steps.took[step]).toBeGreaterThanOrEqual(BLOCKED);
  expect(steps.took[step]).toBe(Math.max(...steps.took));
  expect(weave.stack(step)).toBe(STACK);
  expect(firstRow(table).slice(0, 2)).toEqual(["worker-3 · worker", "812 ms"]);
});

test("a stack tells the innermost place of the program itself", () => {
  expect(placeIn(STACK)).toBe("parse (app.py:41)");
  expect(placeIn("")).toBe("");
  expect(placeIn("fetch (app.py:12)\nsleep (app.py:90)")).toBe("sleep (app.py:90)");
  const library = "read (/usr/lib/python3.13/ssl.py:7)";
  expect(placeIn(library)).toBe(library);
  expect(placeIn("(no stack: the step held the interpreter lock to its end)")).toBe("");
});

test("the slowest wait stands first in its table", () => {
  const [wait] = waitsTable(scene).rows;
  expect(waits.ended[wait] - waits.began[wait]).toBe(
    Math.max(...waits.ended.map((it, at) => it - waits.began[at])),
  );
});

test("the tasks that never finished are those without an end", () => {
  const names = unfinishedTable(scene).rows.map((lane) => weave.name(lane));
  expect(names.sort()).toEqual([HOSTILE, "heartbeat"].sort());
});

test("all lanes are in the table of tasks", () => {
  expect(lanesTable(scene).rows).toHaveLength(lanes.length);
});

test("waits are grouped by what they were for", () => {
  const groups = new Map(contentions(scene).map((group) => [group.name, group]));
  expect(groups.get("lock")).toMatchObject({ contends: true, kind: "lock", where: "worker (app.py:84)" });
  expect(groups.get("sockets")).toMatchObject({ contends: false, waits: countOf("socket") });
  expect(groups.get("tasks")?.waits).toBe(countOf("task"));
  expect([...groups.values()].reduce((sum, { waits }) => sum + waits, 0)).toBe(waits.length);
});

test("what is shared stands first among what was waited for", () => {
  const contents = contentionTable(scene);
  const { rank } = contents.columns[contents.sortedBy];
  const order = contents.rows.toSorted((a, b) => (rank?.(b) ?? 0) - (rank?.(a) ?? 0));
  expect(order.map((row) => contents.columns[0].text(row))).toEqual([
    "event",
    "executor job save_to_disk",
    "lock",
    "tasks",
    "sockets",
    "timers",
  ]);
});

test("while a step blocks, the lag is as long as it", () => {
  const [step] = weave.longestSteps;
  const [from, to] = scene.times({ kind: "step", index: step });
  for (const part of [0.1, 0.5, 0.9]) {
    const time = from + (to - from) * part;
    expect(scene.curves.lagIn(time, time + 1000)).toBeGreaterThanOrEqual(BLOCKED);
  }
  expect(scene.curves.mostLag).toBeGreaterThanOrEqual(BLOCKED);
  expect(scene.curves.lagIn(2.9e9, 2.9e9 + 1e6)).toBeLessThan(1e6);
});

test("tasks that run the same are taken together", () => {
  const groups = new Map(coroutines(scene).map((group) => [group.name, group]));
  expect(groups.get("worker")).toMatchObject({ tasks: 6, worst: steps.lane[weave.longestSteps[0]] });
  expect(groups.get("fetch")?.tasks).toBe(90);
  const all = [...groups.values()].reduce((sum, { steps }) => sum + steps, 0);
  expect(all).toBe(steps.lane.reduce((sum, lane) => sum + (lanes.kind[lane] === 0 ? 1 : 0), 0));
});

test("while the loop sleeps there is no lag", () => {
  const recording = new Recording();
  for (const [began, ended] of [
    [0, 100],
    [1100, 1200],
  ])
    recording.add("polls", { began, ended, ready: 3 });
  recording.ended = 1500;
  const { curves } = new Scene(new Weave(readBytes(recording.bytes())));
  const lags = [0, 50, 500, 1150, 1300].map((time) => curves.lagIn(time, time + 10));
  expect(lags).toEqual([0, 0, 1000, 0, 300]);
  expect([curves.readyIn(0, 10), curves.mostReady]).toEqual([3, 3]);
});

test("connections tell the bytes that came and went", () => {
  const table = connectionsTable(scene);
  const read = table.rows.reduce((sum, it) => sum + (table.columns[2].value?.(it) ?? 0), 0);
  const { came, bytes } = weave.data.transfers;
  expect(read).toBe(bytes.reduce((sum, it, at) => sum + (came[at] ? it : 0), 0));
  expect(table.rows).toHaveLength(6);
});

test("search finds names, coroutines, places and peers, whatever the case", () => {
  expect(matches(scene, "HEARTBEAT").map(({ kind }) => kind)).toEqual(["lane"]);
  expect(matches(scene, "worker")).toHaveLength(6);
  expect(matches(scene, "app.py:126").map(({ index }) => weave.name(index))).toEqual(["watchdog"]);
  expect(matches(scene, "192.0.2.12").map(({ kind }) => kind)).toEqual(["socket"]);
  expect(matches(scene, "cache").map(({ kind }) => kind)).toEqual(["mark"]);
  expect(matches(scene, "  ")).toEqual([]);
  expect(matches(scene, "no such name")).toEqual([]);
});

function countOf(beginning: string): number {
  return waits.what.reduce((sum, what) => sum + (weave.text(what).startsWith(beginning) ? 1 : 0), 0);
}

test("requests to cancel are known by whom they were meant for, and by who made them", () => {
  const [step] = weave.longestSteps;
  const [cancel] = weave.cancelsBy.of(step);
  const lane = weave.data.cancels.lane[cancel];
  expect(weave.name(lane)).toBe("watchdog");
  expect([...weave.cancelsOf.of(lane)]).toEqual([cancel]);
});

test("what the thread used is what it had at the end, less what it had at the beginning", () => {
  expect(weave.used).toEqual({ kernel: 40e6, elsewhere: 1200e6 });
});

test("who waits is the innermost in a chain that is no part of asyncio", () => {
  expect(waiterIn(["main (app.py:1)", "fetch (net.py:7)", "Lock.acquire (locks.py:93)"])).toBe(
    "fetch (net.py:7)",
  );
  expect(waiterIn(["main (app.py:1)", "StreamReader.read"])).toBe("main (app.py:1)");
  expect(waiterIn(["Event.wait (locks.py:212)"])).toBe("");
  expect(waiterIn([])).toBe("");
});
