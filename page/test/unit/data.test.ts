import { expect, test } from "vitest";
import { readBytes, readText } from "../../src/data.ts";
import { Recording } from "../fixture.ts";
import { base64 } from "../page.ts";
import { story } from "../story.ts";

function small(): Recording {
  const recording = new Recording();
  const lane = recording.add("lanes", { name: "main", parent: -1, began: 5, ended: Number.NaN });
  recording.add("steps", { lane, began: 10, took: 20, woken: Number.NaN });
  recording.ended = 100;
  return recording;
}

function damage(change: (recording: Recording) => void): () => unknown {
  const recording = small();
  change(recording);
  return () => readBytes(recording.bytes());
}

test("what was written is read", () => {
  const data = readBytes(small().bytes());
  expect(data.lanes.length).toBe(1);
  expect(data.strings[data.lanes.name[0]]).toBe("main");
  expect(data.lanes.parent[0]).toBe(-1);
  expect([...data.steps.began, ...data.steps.took]).toEqual([10, 20]);
  expect(data.steps.woken[0]).toBeNaN();
  expect(data.facts).toEqual({ python: "3.13.0", groundup: "0.1.0", program: "app.py" });
});

test("base64 of deflated bytes is read, white space around it or not", async () => {
  const data = await readText(`\n ${base64(story().bytes())} \n`);
  expect(data.steps.length).toBeGreaterThan(500);
  expect(data.lost).toBe(37);
});

test("bytes that do not begin at the beginning of their buffer are read", () => {
  const bytes = small().bytes();
  const shifted = new Uint8Array(bytes.length + 8);
  shifted.set(bytes, 8);
  expect(readBytes(shifted.subarray(8)).steps.began[0]).toBe(10);
});

test("a page without a recording says so", async () => {
  await expect(readText("  ")).rejects.toThrow("holds no recording");
});

test("a newer format is named", () => {
  expect(damage((it) => Object.assign(it, { format: 2 }))).toThrow(
    "is of format 2, and this page reads format 1",
  );
});

test.each([
  ["no base64", "%%%"],
  ["nothing that was deflated", btoa("nothing that was deflated")],
  ["cut short", base64(small().bytes()).slice(0, 60)],
])("what is %s is called damaged", async (_, text) => {
  await expect(readText(text)).rejects.toThrow("is damaged");
});

test.each([0, 3, 20, 400])("bytes cut to %d are called damaged", (length) => {
  expect(() => readBytes(small().bytes().slice(0, length))).toThrow("is damaged");
});

test("bytes cut short anywhere are called damaged", () => {
  const bytes = small().bytes();
  for (let length = 0; length < bytes.length - 200; length += 97) {
    expect(() => readBytes(bytes.slice(0, length))).toThrow("is damaged");
  }
});

test.each<[string, (recording: Recording) => void]>([
  ["a lane", (it) => it.set("steps.lane", 0, 7)],
  ["a text", (it) => it.set("lanes.name", 0, 99)],
  ["a parent", (it) => it.set("lanes.parent", 0, 1)],
  ["a step", (it) => it.add("steps", { began: 50, causeKind: 1, cause: 2 })],
  ["a socket", (it) => it.add("transfers", { socket: 3 })],
  ["a step", (it) => it.add("cancels", { lane: 0, step: 9 })],
  ["a lane", (it) => it.add("cancels", { lane: 9, step: -1 })],
  ["a chain", (it) => it.add("waits", { chain: 9, began: 1, ended: 2 })],
])("what names %s that is not there is called damaged", (_, change) => {
  expect(damage(change)).toThrow("is missing");
});

test("columns of different lengths are called damaged", () => {
  expect(damage((it) => it.columns["steps.took"].push(1))).toThrow("differ in length");
});

test("steps out of order are called damaged", () => {
  expect(damage((it) => it.add("steps", { began: 3, took: 1 }))).toThrow("out of order");
});

test("what had not ended when the recording did ends with it", () => {
  const recording = small();
  recording.set("steps.took", 0, Number.NaN);
  recording.add("waits", { began: 30, ended: Number.NaN });
  const data = readBytes(recording.bytes());
  expect([data.steps.took[0], data.waits.ended[0]]).toEqual([90, 100]);
});

test("a step whose beginning is no number is called damaged", () => {
  expect(damage((it) => it.set("steps.began", 0, Number.NaN))).toThrow("out of order");
});
