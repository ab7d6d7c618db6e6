// How the page looks: light, dark, narrow, on paper, and to who cannot see it; screenshots for eyes.

import { join } from "node:path";
import { expect, test } from "vitest";
import { colourAt } from "./acts.ts";
import { frame, SCREENSHOTS } from "./chromium.ts";
import { page } from "./visit.ts";

test("the switch turns light into dark and back", async () => {
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const before = await paper();
  await page.keyboard.press("t");
  expect(await paper()).not.toBe(before);
  await page.getByRole("button", { name: "Light or dark" }).click();
  expect(await paper()).toBe(before);
});

test("a dark system gets a dark page", async () => {
  await page.emulateMedia({ colorScheme: "dark" });
  await page.reload();
  await page.waitForFunction(() => window.weave !== undefined);
  await frame(page);
  const { x, y, width } = (await page.locator("canvas.rows").boundingBox()) ?? { x: 0, y: 0, width: 0 };
  expect(Math.max(...(await colourAt(page, x + width - 9, y + 12)))).toBeLessThan(100);
});

test("in print there are all tables, and no buttons", async () => {
  await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
  await page.emulateMedia({ media: "print" });
  expect(await page.locator(".tab-panel:visible").count()).toBe(7);
  expect(await page.locator(".zoom").isVisible()).toBe(false);
  await page.screenshot({ path: join(SCREENSHOTS, "print.png"), fullPage: true });
  await page.pdf({ path: join(SCREENSHOTS, "print.pdf"), preferCSSPageSize: true, printBackground: true });
});

test("what is dark on the screen is light on paper", async () => {
  await page.emulateMedia({ colorScheme: "dark" });
  const box = await page.locator("canvas.rows").boundingBox();
  const corner = async () => colourAt(page, (box?.x ?? 0) + (box?.width ?? 0) - 9, (box?.y ?? 0) + 12);
  await frame(page);
  expect(Math.max(...(await corner()))).toBeLessThan(100);
  await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
  expect(Math.min(...(await corner()))).toBeGreaterThan(150);
  await page.evaluate(() => window.dispatchEvent(new Event("afterprint")));
  await frame(page);
  expect(Math.max(...(await corner()))).toBeLessThan(100);
});

test("on a narrow screen nothing reaches beyond it", async () => {
  await page.setViewportSize({ width: 400, height: 800 });
  await page.keyboard.press("b");
  await frame(page);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(400);
  await page.screenshot({ path: join(SCREENSHOTS, "narrow.png"), fullPage: true });
});

test("everything that can be used has a name, and can be reached by the tab key", async () => {
  const nameless = await page.evaluate(() => {
    const parts = [...document.querySelectorAll("button, input, canvas, [role=tab], [role=tree]")];
    return parts.filter((it) => !it.textContent && !it.getAttribute("aria-label")).map((it) => it.outerHTML);
  });
  expect(nameless).toEqual([]);
  const reached = new Set<string>();
  for (let time = 0; time < 20; time++) {
    await page.keyboard.press("Tab");
    reached.add(
      await page.evaluate(() => document.activeElement?.className || document.activeElement?.id || ""),
    );
  }
  expect([...reached]).toEqual(expect.arrayContaining(["theme", "names", "panel", "splitter", "tab-0"]));
});

test("in a low window the picture keeps to its place above the tables", async () => {
  await page.setViewportSize({ width: 1200, height: 640 });
  await frame(page);
  const [rows, names, tables] = await Promise.all(
    ["canvas.rows", ".names", ".tables"].map((it) => page.locator(it).boundingBox()),
  );
  const bottom = (box: typeof rows) => (box ? box.y + box.height : Number.NaN);
  expect(rows?.height).toBeGreaterThan(60);
  expect(bottom(rows)).toBeLessThanOrEqual(tables?.y ?? 0);
  expect(bottom(names)).toBeLessThanOrEqual(tables?.y ?? 0);
});

for (const theme of ["light", "dark"] as const) {
  test(`the page in ${theme} colours`, async () => {
    await page.emulateMedia({ colorScheme: theme });
    await frame(page);
    const shoot = (name: string) => page.screenshot({ path: join(SCREENSHOTS, `${name}-${theme}.png`) });
    await shoot("whole");
    await page.getByRole("button", { name: "Show it" }).click();
    await frame(page);
    await shoot("blocked");
    await page.keyboard.press(".");
    for (let time = 0; time < 4; time++) await page.keyboard.press("w");
    await frame(page);
    await shoot("close");
    await page.keyboard.press("?");
    await shoot("help");
  });
}
