import { expect, test } from "vitest";
import { count, counted, size } from "../../src/count.ts";
import { clock, duration, moment, roundUp, ticks } from "../../src/time.ts";
import { View } from "../../src/view.ts";

test.each([
  [0, "0 ns"],
  [1, "1 ns"],
  [999, "999 ns"],
  [1000, "1 µs"],
  [1234, "1.23 µs"],
  [999_600, "1 ms"],
  [812e6, "812 ms"],
  [1.5e9, "1.5 s"],
  [59.94e9, "59.9 s"],
  [125e9, "2 min 05 s"],
  [7380e9, "2 h 03 min"],
  [-2500, "−2.5 µs"],
  [Number.NaN, "–"],
])("%d ns last %s", (time, text) => {
  expect(duration(time)).toBe(text);
});

test("a moment is exact to the nanosecond", () => {
  expect(moment(1_234_567_890)).toBe("1.234\u202f567\u202f890 s");
  expect(moment(0)).toBe("0.000\u202f000\u202f000 s");
  expect(moment(Number.NaN)).toBe("not known");
});

test("the time of day goes on from the beginning", () => {
  const wall = Date.UTC(2026, 8, 21, 12, 0, 0) / 1000;
  expect(clock(1.5e9, wall).slice(-6)).toBe("01.500");
  expect(clock(0, Number.POSITIVE_INFINITY)).toBe("not known");
});

test("ticks are round, apart, and told from each other", () => {
  for (const span of [200, 1e4, 7.3e5, 2e8, 3e9, 9e12]) {
    for (const from of [0, 1e9, 123_456_789]) {
      const found = ticks(from, from + span, span / 10);
      expect(found.length).toBeGreaterThanOrEqual(3);
      expect(found.length).toBeLessThanOrEqual(11);
      expect(new Set(found.map(({ label }) => label)).size).toBe(found.length);
    }
  }
});

test("a tick says the time where it stands", () => {
  expect(ticks(0, 2e9, 4e8).map(({ label }) => label)).toEqual(["0 ms", "500 ms", "1.0 s", "1.5 s", "2.0 s"]);
});

test("gaps are rounded up to 1, 2, 5", () => {
  expect([3, 1, 20, 21, 0.3].map(roundUp)).toEqual([5, 1, 20, 50, 1]);
});

test("a view keeps within the recording", () => {
  const view = new View(1000);
  view.show(-500, 300);
  expect([view.from, view.to]).toEqual([0, 800]);
  view.pan(5000);
  expect([view.from, view.to]).toEqual([200, 1000]);
  view.zoom(1e9);
  expect([view.from, view.to]).toEqual([0, 1000]);
  view.zoom(1e-9);
  expect(view.span).toBe(100);
});

test("zooming leaves the time at the pointer in its place", () => {
  const view = new View(1e9);
  const before = view.x(3e8, 1000);
  view.zoom(0.25, 3e8);
  expect(view.x(3e8, 1000)).toBeCloseTo(before);
});

test("what is revealed is in view, and no speck", () => {
  const view = new View(1e9);
  view.reveal(500, 700);
  expect(view.from).toBeLessThanOrEqual(500);
  expect(view.to).toBeGreaterThanOrEqual(700);
  expect(view.x(700, 1000) - view.x(500, 1000)).toBeGreaterThan(10);
});

test("a moment is revealed without zooming to nothing", () => {
  const view = new View(1e9);
  view.show(0, 1e8);
  view.reveal(5e8, 5e8);
  expect(view.span).toBeCloseTo(1e8);
  expect((view.from + view.to) / 2).toBeCloseTo(5e8);
});

test("counts and sizes are words", () => {
  expect(count(1048576)).toBe("1,048,576");
  expect([counted(1, "step"), counted(2, "step")]).toEqual(["1 step", "2 steps"]);
  expect([0, 999, 1500, 999_999, 20e6].map(size)).toEqual(["0 B", "999 B", "1.5 kB", "1 MB", "20 MB"]);
});
