// What is not as it should be: hostile names, damaged data; and that the built page lets nothing else in.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Recording } from "../fixture.ts";
import { MARKER } from "../page.ts";
import { HOSTILE } from "../story.ts";
import { BUILT, frame } from "./chromium.ts";
import { browser, page } from "./visit.ts";

const built = readFileSync(BUILT, "utf8");

test("hostile names are shown as text, and do nothing", async () => {
  await page.getByRole("searchbox").fill("onerror");
  await page.keyboard.press("Enter");
  await frame(page);
  expect(await page.getByRole("complementary", { name: "Details" }).textContent()).toContain(HOSTILE);
  await page.getByRole("tab", { name: /Never finished/ }).click();
  expect(await page.getByRole("tabpanel", { name: /Never finished/ }).textContent()).toContain(HOSTILE);
  expect(await page.locator("img").count()).toBe(0);
  expect(await page.title()).toBe("app.py – weave");
});

test.each([
  ["a script", "</script><script>document.title='broken'</script>"],
  ["letters from right to left", "\u202Eevil\u0000"],
  ["a hundred thousand letters", "x".repeat(100_000)],
  ["many lines", "a\nb\n".repeat(1000)],
])("a name of %s leaves the page whole, wherever it stands", async (_, name) => {
  const recording = new Recording();
  const own = { name, coroutine: name, file: name, how: name, exception: name, parent: -1, ended: 9e8 };
  recording.add("lanes", { ...own, line: 3 });
  recording.add("lanes", { kind: 1, name, file: name, parent: -1, ended: Number.NaN });
  recording.add("steps", { lane: 0, took: 2e8, woken: Number.NaN });
  recording.add("waits", {
    lane: 0,
    began: 2e8,
    ended: 5e8,
    over: 1,
    what: name,
    chain: recording.chain(name),
  });
  recording.add("steps", { lane: 1, began: 6e8, took: 1e6, woken: Number.NaN });
  recording.add("sockets", { descriptor: 1, kind: name, peer: name, closed: Number.NaN });
  recording.add("jobs", { function: name, began: 1e8, ended: 2e8 });
  recording.add("marks", { time: 3e8, text: name });
  recording.add("stacks", { step: 0, text: name });
  recording.facts = { program: name, [name]: name };
  recording.ended = 1e9;
  const other = await browser.open(recording);
  for (const key of ["]", "b", ",", "ArrowDown", "p", "z", "0"]) await other.keyboard.press(key);
  for (const tab of await other.getByRole("tab").all()) await tab.click();
  await other.getByRole("searchbox").fill(name.slice(0, 20));
  for (let time = 0; time < 5; time++) await other.keyboard.press("Enter");
  await frame(other);
  expect(await other.title()).not.toBe("broken");
  const [width, height] = await other.evaluate(() => [document.body.scrollWidth, document.body.scrollHeight]);
  expect([width, height]).toEqual([1440, 900]);
  expect((await other.locator("canvas.rows").boundingBox())?.height).toBeGreaterThan(150);
  await other.close();
});

test.each([
  ["no recording", built, "holds no recording"],
  ["a damaged one", built.replace(MARKER, MARKER.replace("><", ">bm90aGluZw==<")), "is damaged"],
])("%s gives a message", async (_, text, message) => {
  const page = await browser.openText(text);
  expect(await page.getByRole("alert").textContent()).toContain(message);
  await page.close();
});

test("a newer format gives a message", async () => {
  const newer = Object.assign(new Recording(), { format: 9 });
  const page = await browser.openBytes(newer.bytes());
  expect(await page.getByRole("alert").textContent()).toContain("of format 9");
  await page.close();
});

test("an empty recording is shown as what it is", async () => {
  const page = await browser.open(new Recording());
  expect(await page.locator(".headline").textContent()).toContain("No step was recorded");
  await page.close();
});

test("the built page has one place for the data", () => {
  expect(built.split(MARKER)).toHaveLength(2);
});

test("the built page is small, and whole in itself", () => {
  expect(built.length).toBeLessThan(100_000);
  expect(built).not.toMatch(/<(script|link|img)[^>]+(src|href)=/);
});

test("the page forbids what is not its own", async () => {
  const before = browser.requests.length;
  const outcome = await page.evaluate(async () => {
    const script = document.createElement("script");
    script.textContent = "document.title = 'broken'";
    document.body.append(script);
    return fetch("http://127.0.0.1:9/").then(
      () => "sent",
      () => "refused",
    );
  });
  expect(outcome).toBe("refused");
  expect(await page.title()).toBe("app.py – weave");
  expect(browser.requests.slice(before).filter((url) => url.startsWith("http"))).toEqual([]);
  // The browser says that it refused both.
  expect(browser.problems.join()).toContain("Content Security Policy");
  browser.problems.length = 0;
});
