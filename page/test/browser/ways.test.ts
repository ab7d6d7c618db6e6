// The ways through a recording: headline, clicks, jumps, search, tables; each leads where it says.

import { expect, test } from "vitest";
import { readBytes } from "../../src/data.ts";
import { Weave } from "../../src/weave.ts";
import { story } from "../story.ts";
import { chosenName } from "./acts.ts";
import { ask, frame } from "./chromium.ts";
import { page } from "./visit.ts";

const weave = new Weave(readBytes(story().bytes()));
const { steps } = weave.data;

test("the headline leads to the step that blocked the loop", async () => {
  expect(await page.locator(".headline").textContent()).toContain(
    "Longest step: 812 ms by worker-3 · worker, in parse (app.py:41) — the loop stood still",
  );
  await page.getByRole("button", { name: "Show it" }).click();
  expect(await ask(page, (it) => it.chosen())).toEqual({ kind: "step", index: weave.longestSteps[0] });
  const panel = await page.getByRole("complementary", { name: "Details" }).textContent();
  expect(panel).toContain("812 ms");
  expect(panel).toContain("parse (app.py:41)");
  expect(panel).toContain("the loop stood still");
});

test("a click on a bar shows that step", async () => {
  await page.getByRole("button", { name: "Show it" }).click();
  await page.keyboard.press("Escape");
  await frame(page);
  const wide = (await ask(page, (it) => it.drawn())).find(({ left, right }) => right - left > 6);
  expect(wide).toBeDefined();
  await page.mouse.click(((wide?.left ?? 0) + (wide?.right ?? 0)) / 2, wide?.y ?? 0);
  expect(await ask(page, (it) => it.chosen())).toEqual({ kind: "step", index: wide?.step });
});

test("a click on a wait shows it, with who awaits whom", async () => {
  await page.getByRole("tab", { name: "Slowest waits" }).click();
  await page.getByRole("row").filter({ hasText: "task worker-0" }).first().click();
  const panel = page.getByRole("complementary", { name: "Details" });
  expect(await panel.textContent()).toContain("task worker-0");
  expect(await panel.locator(".chain li").allTextContents()).toEqual([
    "main (app.py:130)",
    "gather (tasks.py:820)",
  ]);
});

test("a task that never finished shows what it still waits for", async () => {
  await page.getByRole("searchbox").fill("shown_as_text");
  await page.keyboard.press("Enter");
  const panel = await page.getByRole("complementary", { name: "Details" }).textContent();
  expect(panel).toContain("Still waits forevent");
  expect(panel).toContain("Event.wait (locks.py:212)");
});

test("the jump buttons lead from step to step, to the waker and the parent", async () => {
  await page.keyboard.press("b");
  const step = weave.longestSteps[0];
  const press = async (name: string) => {
    await page
      .getByRole("complementary", { name: "Details" })
      .getByRole("button", { name, exact: true })
      .click();
    return ask(page, (it) => it.chosen());
  };
  expect(await press("Waker")).toEqual({ kind: "step", index: weave.waker(step) });
  await page.keyboard.press("b");
  expect(await press("Next step")).toEqual({ kind: "step", index: weave.neighbour(step, 1) });
  expect(await press("Previous step")).toEqual({ kind: "step", index: step });
  expect(await press("Parent")).toEqual({ kind: "lane", index: weave.data.lanes.parent[steps.lane[step]] });
});

test("a request to cancel leads from who made it to whom it was meant for, and back", async () => {
  await page.keyboard.press("b");
  const details = page.getByRole("complementary", { name: "Details" });
  expect(await details.textContent()).toContain("Asked 1 task to cancel");
  await details.getByRole("button", { name: "watchdog" }).click();
  expect(await chosenName(page, weave)).toBe("watchdog");
  const asked = details.locator("h3", { hasText: "Asked to cancel" }).locator("+ ul");
  await asked.getByRole("button", { name: "worker-3 · worker" }).click();
  expect(await ask(page, (it) => it.chosen())).toEqual({ kind: "step", index: weave.longestSteps[0] });
});

test("search goes from match to match, and tells how many", async () => {
  await page.keyboard.press("/");
  await page.keyboard.type("heartbeat");
  await page.keyboard.press("Enter");
  expect(await chosenName(page, weave)).toBe("heartbeat");
  await page.getByRole("searchbox").fill("worker");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  expect(await page.locator(".matches").textContent()).toBe("2 of 6");
  expect(await chosenName(page, weave)).toBe("worker-1");
  await page.keyboard.press("Shift+Enter");
  expect(await chosenName(page, weave)).toBe("worker-0");
  await page.getByRole("searchbox").fill("nobody is called so");
  await page.keyboard.press("Enter");
  expect(await page.locator(".matches").textContent()).toBe("no match");
});

test("a match in a folded part is unfolded", async () => {
  await page.getByRole("button", { name: "Fold all", exact: true }).click();
  expect((await ask(page, (it) => it.rows())).some(({ name }) => name === "fetch-35")).toBe(false);
  await page.getByRole("searchbox").fill("fetch-35");
  await page.keyboard.press("Enter");
  await frame(page);
  expect(await page.getByRole("treeitem").filter({ hasText: "fetch-35" }).isVisible()).toBe(true);
});

test("tables can be sorted, and their rows lead to what they tell of", async () => {
  await page.getByRole("tab", { name: "Tasks" }).click();
  const panel = page.getByRole("tabpanel", { name: "Tasks" });
  expect(await panel.locator("tbody tr").first().textContent()).toContain("worker-3");
  await panel.getByRole("button", { name: "Steps", exact: true }).click();
  const counts = (await panel.locator("tbody td:nth-child(4)").allTextContents()).map(Number);
  expect(counts).toEqual(counts.toSorted((a, b) => b - a));
  expect(await panel.locator("th[aria-sort=descending]").textContent()).toContain("Steps");
  await panel.locator("tbody tr").first().click();
  expect((await ask(page, (it) => it.chosen()))?.kind).toBe("lane");
  await page.getByRole("tab", { name: /Never finished/ }).click();
  expect(
    await page
      .getByRole("tabpanel", { name: /Never finished/ })
      .locator("tbody tr")
      .count(),
  ).toBe(2);
});

test("what is lost is shown", async () => {
  expect(await page.locator(".lost").textContent()).toBe("37 records lost");
});
