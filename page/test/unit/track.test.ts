import { expect, test } from "vitest";
import { Grouping } from "../../src/grouping.ts";
import { firstBeyond, greatest } from "../../src/order.ts";
import { Peaks } from "../../src/peaks.ts";
import { type Run, Track } from "../../src/track.ts";
import { View } from "../../src/view.ts";

/** Numbers that look as if by chance, the same each time. */
function* chance(): Generator<number, never> {
  for (let seed = 7; ; ) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    yield seed / 2 ** 32;
  }
}

function track(length: number): { began: Float64Array; ended: Float64Array; track: Track } {
  const random = chance();
  const [began, ended] = [new Float64Array(length), new Float64Array(length)];
  let now = 0;
  for (let at = 0; at < length; at++) {
    now += random.next().value * 50;
    began[at] = now;
    now += random.next().value ** 8 * 5000;
    ended[at] = now;
  }
  return { began, ended, track: Track.of(null, began, ended) };
}

function runsOf(of: Track, view: View, width: number): Run[] {
  const runs: Run[] = [];
  of.runs(view, width, (run) => runs.push({ ...run }));
  return runs;
}

test("each thing in view is in exactly one run, at any scale", () => {
  const { began, ended, track: all } = track(5000);
  const view = new View(ended[4999]);
  for (const [from, to] of [
    [0, view.end],
    [1000, 3000],
    [5e4, 2e5],
    [view.end / 2, view.end / 2 + 150],
  ]) {
    view.show(from, to);
    const runs = runsOf(all, view, 800);
    const drawn = runs.flatMap(({ first, count }) => Array.from({ length: count }, (_, at) => first + at));
    const expected = Array.from(began.keys()).filter((at) => began[at] < view.to && ended[at] > view.from);
    expect(drawn.filter((at) => ended[at] > view.from)).toEqual(expected);
  }
});

test("runs are no more than there are pixels, and go from left to right", () => {
  const { ended, track: all } = track(200_000);
  const runs = runsOf(all, new View(ended[199_999]), 700);
  expect(runs.length).toBeLessThanOrEqual(1400);
  const lefts = runs.map(({ left }) => left);
  expect(lefts).toEqual(lefts.toSorted((a, b) => a - b));
});

test("what is wide is drawn by itself, where it is", () => {
  const began = Float64Array.of(0, 10, 11, 12, 500);
  const ended = Float64Array.of(1, 10.5, 11.5, 400, 900);
  const runs = runsOf(Track.of(null, began, ended), new View(1000), 100);
  expect(runs.at(-2)).toMatchObject({ first: 3, count: 1, right: 40 });
  expect(runs.at(-1)).toMatchObject({ first: 4, count: 1, left: 50, right: 90 });
});

test("cover tells how full a pixel is", () => {
  const began = Float64Array.from({ length: 100 }, (_, at) => at * 10);
  const ended = began.map((it) => it + 5);
  const [run] = runsOf(Track.of(null, began, ended), new View(1000), 10);
  expect(run.count).toBe(10);
  expect(run.cover).toBeCloseTo(0.5);
});

test("the longest of any part is that of a plain search", () => {
  const { began, ended, track: all } = track(3000);
  for (const [first, end] of [
    [0, 3000],
    [17, 18],
    [100, 1700],
    [2999, 3000],
    [5, 5],
  ]) {
    const plain = Array.from(began.slice(first, end), (it, at) => ended[first + at] - it);
    expect(all.longest(first, end)).toBe(Math.max(0, ...plain));
  }
});

test("what contains a time is found, else what is near", () => {
  const all = Track.of(null, Float64Array.of(0, 100, 120), Float64Array.of(50, 200, 130));
  expect([all.find(25, 0), all.find(60, 5), all.find(53, 5), all.find(125, 0), all.find(150, 0)]).toEqual([
    0, -1, 0, 2, 1,
  ]);
});

test("peaks are those of a plain search", () => {
  const random = chance();
  const values = Float64Array.from({ length: 3000 }, () => random.next().value);
  values[1234] = Number.NaN;
  const peaks = new Peaks(values);
  for (let round = 0; round < 300; round++) {
    const [a, b] = [random.next().value, random.next().value]
      .map((it) => Math.floor(it * 3001))
      .sort((x, y) => x - y);
    const plain = values.slice(a, b).reduce((most, it) => Math.max(most, it || 0), 0);
    expect(peaks.greatest(a, b)).toBe(plain);
  }
});

test("groups keep the order, and leave out what belongs to nobody", () => {
  const group = new Grouping([2, 0, -1, 2, 0, 2], 4);
  expect([0, 1, 2, 3].map((owner) => [...group.of(owner)])).toEqual([[1, 4], [], [0, 3, 5], []]);
});

test("the greatest are those of a plain sort", () => {
  const random = chance();
  const values = Array.from({ length: 5000 }, () => Math.floor(random.next().value * 400));
  const plain = Array.from(values.keys()).sort((a, b) => values[b] - values[a] || a - b);
  expect(greatest(values, 50)).toEqual(plain.slice(0, 50));
  expect(greatest([Number.NaN, 1, 3], 5)).toEqual([2, 1]);
});

test("halving finds the first beyond", () => {
  expect([0, 5, 9, 10].map((limit) => firstBeyond(0, 10, (at) => at >= limit))).toEqual([0, 5, 9, 10]);
});
