// What tests do to the page, and see of it.

import type { Page } from "playwright-core";
import type { Weave } from "../../src/weave.ts";
import { ask, frame } from "./chromium.ts";

/** The name of the lane that is chosen. */
export async function chosenName(page: Page, weave: Weave): Promise<string> {
  const chosen = await ask(page, (it) => it.chosen());
  return chosen === null ? "" : weave.name(chosen.index);
}

/** The colour of the rows at a point of the window. */
export async function colourAt(page: Page, x: number, y: number): Promise<number[]> {
  return page.evaluate(
    ([x, y]) => {
      const canvas = document.querySelector("canvas.rows") as HTMLCanvasElement;
      const { left, top } = canvas.getBoundingClientRect();
      const copy = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
      copy?.drawImage(canvas, -(x - left) * devicePixelRatio, -(y - top) * devicePixelRatio);
      return [...(copy?.getImageData(0, 0, 1, 1).data ?? [])].slice(0, 3);
    },
    [x, y],
  );
}

type Box = Awaited<ReturnType<ReturnType<Page["locator"]>["boundingBox"]>>;

/** A drag across a box, from one part of its width to another. */
export async function drag(page: Page, box: Box, from: number, to: number): Promise<void> {
  const { x, y, width, height } = box ?? { x: 0, y: 0, width: 0, height: 0 };
  await page.mouse.move(x + from * width, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + to * width, y + height / 2, { steps: 5 });
  await page.mouse.up();
  await frame(page);
}
