import { expect, test } from "vitest";
import { readBytes } from "../../src/data.ts";
import { Lanes } from "../../src/lanes.ts";
import { Weave } from "../../src/weave.ts";
import { Recording } from "../fixture.ts";

/** Tasks named by letters: `parents` names each one's parent, "-" none. */
function family(names: string, parents: string): { weave: Weave; lanes: Lanes } {
  const recording = new Recording();
  [...names].forEach((name, at) => {
    recording.add("lanes", { name, parent: names.indexOf(parents[at]), began: at, ended: Number.NaN });
  });
  recording.add("lanes", { kind: 1, name: "called", file: "a.py:3", parent: -1 });
  for (const lane of names.split("").keys()) {
    recording.add("steps", { lane, began: 10 * lane, took: 5, woken: Number.NaN });
  }
  recording.ended = 1000;
  const weave = new Weave(readBytes(recording.bytes()));
  return { weave, lanes: new Lanes(weave) };
}

function shown({ weave, lanes }: { weave: Weave; lanes: Lanes }): string {
  return lanes.rows
    .map((row) => (row.kind === "lane" ? `${row.depth}${weave.name(row.index)}` : row.group))
    .join(" ");
}

test("tasks stand below the task that made them", () => {
  expect(shown(family("abcde", "-a-ba"))).toBe("tasks 1a 2b 3d 2e 1c functions 1called");
});

test("a folded task hides all that it made, and says how many", () => {
  const it = family("abcde", "-a-ba");
  it.lanes.toggle(it.lanes.rows[1]);
  expect(shown(it)).toBe("tasks 1a 1c functions 1called");
  expect(it.lanes.rows[1]).toMatchObject({ folded: true, below: 3 });
  expect([0, 1, 3, 4].map((lane) => it.lanes.rowOf(lane))).toEqual([1, 1, 1, 1]);
  it.lanes.toggle(it.lanes.rows[1]);
  expect(it.lanes.rowOf(3)).toBe(3);
});

test("all can be folded and unfolded", () => {
  const it = family("abcde", "-a-ba");
  it.lanes.foldAll();
  expect(shown(it)).toBe("tasks 1a 1c functions");
  it.lanes.unfoldAll();
  expect(shown(it)).toBe("tasks 1a 2b 3d 2e 1c functions 1called");
});

test("what hides a lane is opened, and nothing else", () => {
  const it = family("abcdefg", "-a-bacf");
  it.lanes.foldAll();
  it.lanes.revealLane(3);
  expect(shown(it)).toBe("tasks 1a 2b 3d 2e 1c functions");
});

test("a folded row tells the steps of all that it hides", () => {
  const it = family("abcde", "-a-ba");
  it.lanes.foldAll();
  expect([...it.lanes.stepsWithin(it.lanes.rows[1])]).toEqual([0, 1, 3, 4]);
});

test("parents in a circle do no harm", () => {
  const it = family("abc", "bab");
  expect(shown(it)).toBe("tasks 1a 2b 3c functions 1called");
});

test("a hundred thousand tasks that made each other do no harm", () => {
  const recording = new Recording();
  for (let lane = 0; lane < 100_000; lane++)
    recording.add("lanes", { name: "deep", parent: lane - 1, began: lane });
  const lanes = new Lanes(new Weave(readBytes(recording.bytes())));
  expect(lanes.rows.length).toBe(1 + 300);
  expect(lanes.rows[300]).toMatchObject({ depth: 300, folded: true, below: 99_700 });
});

test.each([
  ["few are all open", [1, 20, 200], 221],
  ["of many, the upper levels are open", [1, 20, 400], 21],
  ["what a single task made is open, however many", [1, 5000], 5001],
  ["but not what those made", [1, 5000, 5000], 5001],
])("at first %s", (_, levels, shown) => {
  const recording = new Recording();
  let above = [-1];
  for (const count of levels) {
    above = Array.from({ length: count }, (_, at) =>
      recording.add("lanes", { name: "task", parent: above[at % above.length], ended: Number.NaN }),
    );
  }
  const { rows } = new Lanes(new Weave(readBytes(recording.bytes())));
  expect(rows.filter(({ kind }) => kind === "lane")).toHaveLength(shown);
});
