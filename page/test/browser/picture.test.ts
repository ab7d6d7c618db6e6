// The picture in a real browser: its lanes and bars are the recording's, and can be moved, folded and asked.

import { join } from "node:path";
import { expect, test } from "vitest";
import { readBytes } from "../../src/data.ts";
import { STRIPS } from "../../src/draw/loop.ts";
import { Weave } from "../../src/weave.ts";
import { Recording } from "../fixture.ts";
import { story } from "../story.ts";
import { chosenName, colourAt, drag } from "./acts.ts";
import { ask, frame, SCREENSHOTS } from "./chromium.ts";
import { browser, page } from "./visit.ts";

const recording = story();
const weave = new Weave(readBytes(recording.bytes()));
const { steps } = weave.data;

test("lanes are the recording's", async () => {
  const rows = await ask(page, (it) => it.rows());
  const names = rows.filter(({ kind }) => kind === "lane").map(({ name }) => name);
  expect(names.toSorted()).toEqual(
    Array.from(weave.data.lanes.kind.keys(), (lane) => weave.name(lane)).sort(),
  );
  expect(rows[1]).toEqual({ kind: "lane", name: "main", depth: 1, folded: false });
  expect(await page.getByRole("treeitem").nth(1).textContent()).toContain("main");
});

test("bars are where the recording's steps are", async () => {
  const { from, to } = await ask(page, (it) => it.view());
  const box = await page.locator("canvas.rows").boundingBox();
  const bars = await ask(page, (it) => it.drawn());
  expect(bars.length).toBeGreaterThan(20);
  for (const { step, lane, left, count } of bars) {
    expect(lane).toBe(steps.lane[step]);
    const expected = (box?.x ?? 0) + ((steps.began[step] - from) / (to - from)) * (box?.width ?? 0);
    expect(Math.abs(left - expected)).toBeLessThanOrEqual(1);
    expect(count).toBeGreaterThan(0);
  }
});

test("a bar is drawn where it is said to be", async () => {
  await page.getByRole("button", { name: "Show it" }).click();
  await page.keyboard.press("Escape");
  await page.mouse.move(5, 5);
  await frame(page);
  const bar = (await ask(page, (it) => it.drawn())).find(({ step }) => step === weave.longestSteps[0]);
  expect(bar).toBeDefined();
  const colour = await colourAt(page, ((bar?.left ?? 0) + (bar?.right ?? 0)) / 2, bar?.y ?? 0);
  expect(colour).toEqual([216, 52, 43]);
  expect(await colourAt(page, (bar?.right ?? 0) + 4, (bar?.y ?? 0) - 9)).not.toEqual(colour);
});

test("an arrow shows what woke the chosen step, where it was woken", async () => {
  await page.keyboard.press("b");
  await page.mouse.move(5, 5);
  await frame(page);
  const [step] = weave.longestSteps;
  const bar = (await ask(page, (it) => it.drawn())).find((it) => it.step === step);
  const { from, to } = await ask(page, (it) => it.view());
  const { x, width } = (await page.locator("canvas.rows").boundingBox()) ?? { x: 0, width: 0 };
  const at = x + Math.floor(((steps.woken[step] - from) / (to - from)) * width);
  // The task that woke it stands some rows below: the arrow passes the next one.
  expect(await colourAt(page, at, (bar?.y ?? 0) + 24)).toEqual([59, 66, 84]);
  await page.keyboard.press("Escape");
  await frame(page);
  expect(await colourAt(page, at, (bar?.y ?? 0) + 24)).not.toEqual([59, 66, 84]);
});

test("a long step can be seen among so many that they share pixels", async () => {
  const minute = new Recording();
  const lane = minute.add("lanes", { name: "busy", parent: -1, ended: Number.NaN });
  for (let at = 0; at < 60_000; at++) {
    minute.add("steps", { lane, began: at * 1e6, took: at === 20_000 ? 15e6 : 2e5, woken: Number.NaN });
    if (at === 20_000) at += 15;
  }
  minute.ended = 60e9;
  const other = await browser.open(minute);
  const { x, y, width } = (await other.locator("canvas.rows").boundingBox()) ?? { x: 0, y: 0, width: 0 };
  const colourOf = (time: number) => colourAt(other, x + Math.floor((time / 60e9) * width) + 1, y + 24 + 12);
  expect(await colourOf(20e9)).toEqual([224, 145, 18]);
  expect(await colourOf(30e9)).not.toEqual([224, 145, 18]);
  await other.close();
});

test("a lane is folded by its triangle, and by the keyboard", async () => {
  const names = async () => (await ask(page, (it) => it.rows())).map(({ name }) => name);
  await page
    .getByRole("treeitem")
    .filter({ hasText: "worker-0" })
    .getByRole("button", { name: "Fold" })
    .click();
  expect(await names()).not.toContain("fetch-0");
  expect(await names()).toContain("worker-1");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  expect(await chosenName(page, weave)).toBe("worker-0");
  const row = page.getByRole("treeitem", { selected: true });
  expect(await row.getAttribute("aria-expanded")).toBe("false");
  await page.locator(".names").focus();
  await page.keyboard.press("Enter");
  expect(await names()).toContain("fetch-0");
  expect(await row.getAttribute("aria-expanded")).toBe("true");
  await page.keyboard.press("p");
  expect(await chosenName(page, weave)).toBe("main");
});

test("a heading is unfolded by the keyboard, and keeps the focus", async () => {
  await page.locator(".scroller").evaluate((it) => it.scrollTo(0, it.scrollHeight));
  await frame(page);
  const triangle = page.getByRole("treeitem").filter({ hasText: "Sockets" }).getByRole("button");
  await triangle.focus();
  await page.keyboard.press("Enter");
  await frame(page);
  expect((await ask(page, (it) => it.rows())).filter(({ kind }) => kind === "socket")).toHaveLength(6);
  expect(await triangle.evaluate((it) => it === document.activeElement)).toBe(true);
  await page.keyboard.press("Enter");
  expect((await ask(page, (it) => it.rows())).filter(({ kind }) => kind === "socket")).toHaveLength(0);
});

test("lanes that are not alive in the time shown can be hidden", async () => {
  await page.keyboard.press("b");
  await page.keyboard.press("z");
  await page.keyboard.press("o");
  await frame(page);
  const { from, to } = await ask(page, (it) => it.view());
  const { began, ended, kind } = weave.data.lanes;
  const alive = Array.from(kind.keys()).filter(
    (at) => kind[at] === 0 && began[at] <= to && !(ended[at] < from),
  );
  const shown = (await ask(page, (it) => it.rows())).filter((row) => row.kind === "lane");
  expect(shown.map(({ name }) => name)).toEqual(
    expect.arrayContaining(alive.map((lane) => weave.name(lane))),
  );
  expect(shown.length).toBeLessThan(alive.length + 3);
  await page.screenshot({ path: join(SCREENSHOTS, "alive.png") });
  await page.keyboard.press("o");
  expect((await ask(page, (it) => it.rows())).length).toBeGreaterThan(100);
});

test("the last lane can be reached", async () => {
  await page.locator(".scroller").evaluate((it) => it.scrollTo(0, it.scrollHeight));
  await frame(page);
  const last = await page.getByRole("treeitem").last().boundingBox();
  const box = await page.locator(".scroller").boundingBox();
  expect(await page.getByRole("treeitem").last().textContent()).toContain("Sockets");
  expect(last && box && last.y + last.height <= box.y + box.height + 1).toBe(true);
});

test("keys zoom, move and show all", async () => {
  const whole = await ask(page, (it) => it.view());
  await page.keyboard.press("w");
  const close = await ask(page, (it) => it.view());
  expect((close.to - close.from) * 1.5).toBeCloseTo(whole.to - whole.from, -2);
  await page.keyboard.press("ArrowRight");
  const moved = await ask(page, (it) => it.view());
  expect(moved.from).toBeGreaterThan(close.from);
  expect(moved.to - moved.from).toBeCloseTo(close.to - close.from, -2);
  await page.keyboard.press("0");
  expect(await ask(page, (it) => it.view())).toEqual(whole);
});

test("the wheel zooms where the pointer is", async () => {
  const box = await page.locator("canvas.rows").boundingBox();
  const x = (box?.x ?? 0) + (box?.width ?? 0) / 4;
  await page.mouse.move(x, (box?.y ?? 0) + 40);
  const before = await ask(page, (it) => it.view());
  await page.mouse.wheel(0, -300);
  await frame(page);
  const after = await ask(page, (it) => it.view());
  const at = ({ from, to }: { from: number; to: number }) => from + (to - from) / 4;
  expect(after.to - after.from).toBeLessThan(before.to - before.from);
  expect(Math.abs(at(after) - at(before))).toBeLessThan((after.to - after.from) / 100);
});

test("a drag moves, a drag in the overview chooses a part", async () => {
  const strip = await page.locator("canvas.overview").boundingBox();
  await drag(page, strip, 0.25, 0.5);
  const view = await ask(page, (it) => it.view());
  expect(view.from / recording.ended).toBeCloseTo(0.25, 2);
  expect(view.to / recording.ended).toBeCloseTo(0.5, 2);
  await drag(page, await page.locator("canvas.rows").boundingBox(), 0.6, 0.4);
  const moved = await ask(page, (it) => it.view());
  expect((moved.from - view.from) / (view.to - view.from)).toBeCloseTo(0.2, 1);
});

test("a click on the loop's lane shows the step, the sleep, the collection and the mark that is there", async () => {
  const box = await page.locator("canvas.head").boundingBox();
  const click = async (strip: keyof typeof STRIPS, time: number) => {
    const x = (box?.x ?? 0) + (time / recording.ended) * (box?.width ?? 0);
    await page.mouse.click(x, (box?.y ?? 0) + STRIPS[strip].y + STRIPS[strip].height / 2);
    return ask(page, (it) => it.chosen());
  };
  expect(await click("work", 800e6)).toEqual({ kind: "step", index: weave.longestSteps[0] });
  expect((await click("work", 2512e6))?.kind).toBe("poll");
  expect(await click("marks", 1826e6)).toEqual({ kind: "collection", index: 2 });
  expect(await page.getByRole("complementary", { name: "Details" }).textContent()).toContain("14 ms");
  expect(await click("marks", 400e6)).toEqual({ kind: "mark", index: 0 });
  expect(await page.getByRole("complementary", { name: "Details" }).textContent()).toContain("cache warm");
});

test("the pointer is told what is below it", async () => {
  const box = await page.locator("canvas.head").boundingBox();
  await page.mouse.move(
    (box?.x ?? 0) + (800e6 / recording.ended) * (box?.width ?? 0),
    (box?.y ?? 0) + STRIPS.work.y + 9,
  );
  await frame(page);
  expect(await page.getByRole("tooltip").textContent()).toContain("worker-3 · workerstep of 812 ms");
});

test("sockets are shown when asked for", async () => {
  expect((await ask(page, (it) => it.rows())).filter(({ kind }) => kind === "socket")).toHaveLength(0);
  await page.getByRole("tab", { name: /Connections/ }).click();
  await page
    .getByRole("tabpanel", { name: /Connections/ })
    .locator("tbody tr")
    .first()
    .click();
  expect((await ask(page, (it) => it.rows())).filter(({ kind }) => kind === "socket")).toHaveLength(6);
  expect(await page.getByRole("complementary", { name: "Details" }).textContent()).toContain("192.0.2.");
  await frame(page);
  expect(await page.getByRole("treeitem").filter({ hasText: "192.0.2." }).count()).toBeGreaterThan(0);
  await page.screenshot({ path: join(SCREENSHOTS, "sockets.png") });
});
