// A recording of a real program, shown by the page that the command makes of it.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { HOSTILE } from "../story.ts";
import { ask, Chromium, frame } from "./chromium.ts";

/** An interpreter that has groundup. */
const PYTHON = process.env.PYTHON ?? fileURLToPath(new URL("../../../.venv/bin/python", import.meta.url));

const PROGRAM = `
import asyncio, sys, time
import groundup

async def block():
    await asyncio.sleep(0)
    time.sleep(0.15)

async def main():
    stuck = asyncio.create_task(asyncio.Event().wait(), name=${JSON.stringify(HOSTILE)})
    tasks = [asyncio.create_task(asyncio.sleep(0.001), name=f"sleeper-{n}") for n in range(5)]
    await asyncio.create_task(block(), name="blocker")
    await asyncio.gather(*tasks)
    return stuck

loop = groundup.new_event_loop()
with groundup.record(sys.argv[1]):
    stuck = loop.run_until_complete(main())
stuck.cancel()
loop.run_until_complete(asyncio.wait([stuck]))
loop.close()
`;

const folder = mkdtempSync(join(tmpdir(), "recorded-"));
let browser: Chromium;
let page: Page;

beforeAll(async () => {
  const [program, recording, shown] = ["app.py", "run.weave", "run.html"].map((it) => join(folder, it));
  writeFileSync(program, PROGRAM);
  execFileSync(PYTHON, [program, recording]);
  execFileSync(PYTHON, ["-m", "groundup", "view", "--no-open", "-o", shown, recording]);
  browser = await Chromium.start();
  page = await browser.openText(readFileSync(shown, "utf8"));
  await page.waitForFunction(() => window.weave !== undefined);
});
afterAll(async () => {
  await browser.stop();
  rmSync(folder, { recursive: true, force: true });
  expect(browser.problems).toEqual([]);
});

test("the step that blocked is named, and the line that it stood at", async () => {
  expect(await page.locator(".headline").textContent()).toMatch(
    /Longest step: .+ by blocker · block, in block \(.*app.py:\d+\)/,
  );
});

test("every task has a lane", async () => {
  await page.getByRole("tab", { name: "Tasks" }).click();
  const table = await page.getByRole("tabpanel", { name: "Tasks" }).textContent();
  for (const name of ["Task-1", "blocker", "sleeper-0", "sleeper-4"]) expect(table).toContain(name);
});

test("a task that never finished is told with what it waits for, and its name is text", async () => {
  await page.getByRole("tab", { name: /Never finished/ }).click();
  const table = await page.getByRole("tabpanel", { name: /Never finished/ }).textContent();
  expect(table).toContain(HOSTILE);
  expect(table).toContain("Event.wait");
  expect(await page.locator("img").count()).toBe(0);
});

test("a blocked step shows when it was woken, and by whom", async () => {
  await page.keyboard.press("b");
  await frame(page);
  expect(await ask(page, (it) => it.chosen()?.kind)).toBe("step");
  const details = await page.getByRole("complementary", { name: "Details" }).textContent();
  expect(details).toContain("blocker");
  expect(details).toContain("woken by");
});
