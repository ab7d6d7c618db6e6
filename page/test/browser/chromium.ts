// A real Chromium with nothing in it, and the built page filled with recordings, opened from files.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import type { Handle } from "../../src/handle.ts";
import type { Recording } from "../fixture.ts";
import { filledIn } from "../page.ts";

export const BUILT = fileURLToPath(new URL("../../../python/groundup/view/page.html", import.meta.url));
export const SCREENSHOTS = fileURLToPath(new URL("../../screenshots", import.meta.url));

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A browser, and what went wrong in its pages. */
export class Chromium {
  readonly problems: string[] = [];
  readonly requests: string[] = [];

  private constructor(
    private readonly context: BrowserContext,
    private readonly folder: string,
  ) {}

  /** Starts one. */
  static async start(): Promise<Chromium> {
    const folder = mkdtempSync(join(tmpdir(), "weave-"));
    const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
    const context = await chromium.launchPersistentContext(join(folder, "user-data"), {
      executablePath,
      headless: true,
      args: FLAGS,
      viewport: { width: 1440, height: 900 },
    });
    return new Chromium(context, folder);
  }

  /** Ends it. */
  async stop(): Promise<void> {
    await this.context.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Opens the page with a recording in it, and waits until it is shown. */
  async open(recording: Recording): Promise<Page> {
    const page = await this.openBytes(recording.bytes());
    await page.waitForFunction(() => window.weave !== undefined);
    await frame(page);
    return page;
  }

  /** Opens the page with these bytes in it. */
  async openBytes(bytes: Uint8Array): Promise<Page> {
    return this.openText(filledIn(readFileSync(BUILT, "utf8"), bytes));
  }

  /** Opens a page of this text. */
  async openText(text: string): Promise<Page> {
    const path = join(this.folder, `${Math.random().toString(36).slice(2)}.html`);
    writeFileSync(path, text);
    const page = await this.context.newPage();
    page.on("pageerror", (error) => this.problems.push(String(error)));
    page.on("console", (message) => this.problems.push(message.text()));
    page.on("request", (request) => this.requests.push(request.url()));
    await page.goto(pathToFileURL(path).href);
    return page;
  }
}

/** Waits until what changed is drawn. */
export async function frame(page: Page): Promise<void> {
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

/** What the page says is shown. */
export async function ask<Answer>(page: Page, question: (weave: Handle) => Answer): Promise<Answer> {
  const text = `(${question.toString()})(window.weave)`;
  return (await page.evaluate(text)) as Answer;
}
