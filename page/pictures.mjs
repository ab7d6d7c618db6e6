// The pictures in docs/see-the-weave.md: runs the examples, has `groundup view` make their pages, and takes
// pictures of them in Chromium.

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PICTURES = join(ROOT, "docs", "pictures");
/** An interpreter that has groundup. */
const PYTHON = process.env.PYTHON ?? join(ROOT, ".venv/bin/python");
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"];

/** What is looked at in the page of each example. */
const LOOKS = {
  blocking_call: (page) => page.keyboard.press("b"),
  lost_wakeup: async (page) => {
    await page.getByRole("tab", { name: /Never finished/ }).click();
    await page
      .getByRole("tabpanel", { name: /Never finished/ })
      .getByText("printer")
      .click();
    await page.keyboard.press("0");
  },
  starved_task: async (page) => {
    await page.getByRole("searchbox").fill("heart");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Escape");
    for (let step = 0; step < 3; step++) await page.keyboard.press(".");
    await page.keyboard.press("0");
  },
};

const folder = mkdtempSync(join(tmpdir(), "pictures-"));
const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
mkdirSync(PICTURES, { recursive: true });
for (const [trouble, look] of Object.entries(LOOKS)) {
  const program = `find_${trouble}.py`;
  copyFileSync(join(ROOT, "examples", program), join(folder, program));
  // Run like this, it is known by its name alone, whatever folder this is.
  const run = `import runpy; runpy.run_path("${program}", run_name="__main__")`;
  execFileSync(PYTHON, ["-c", run], { cwd: folder });
  execFileSync(PYTHON, ["-m", "groundup", "view", "--no-open", `${trouble}.weave`], { cwd: folder });
  const page = await browser.newPage({ viewport: { width: 1200, height: 700 }, colorScheme: "light" });
  await page.goto(pathToFileURL(join(folder, `${trouble}.weave.html`)).href);
  await page.waitForFunction("window.weave !== undefined");
  await look(page);
  await page.waitForTimeout(300);
  await page.screenshot({ path: join(PICTURES, `${trouble}.png`) });
}
await browser.close();
rmSync(folder, { recursive: true });
