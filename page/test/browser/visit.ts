// A browser for a file of tests, and for each of them a new page that shows the story; whoever imports this has
// both. A test that leaves problems in the console fails.

import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { story } from "../story.ts";
import { Chromium } from "./chromium.ts";

export let browser: Chromium;
export let page: Page;

beforeAll(async () => {
  browser = await Chromium.start();
});
afterAll(() => browser.stop());
beforeEach(async () => {
  browser.problems.length = 0;
  page = await browser.open(story());
});
afterEach(async () => {
  await page.close();
  expect(browser.problems).toEqual([]);
});
