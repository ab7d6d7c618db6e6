// Steps as bars: wide ones singly, with their length; crowds as a tint that tells how full the place is.
// Long ones can be seen at any scale.

import type { Scene } from "../scene.ts";
import { duration } from "../time.ts";
import type { Run, Track } from "../track.ts";
import { BLOCKING, LONG } from "../weave.ts";
import type { Ink } from "./ink.ts";

/** How many shades a crowd may have: neighbours of one shade are drawn at once. */
const SHADES = 5;

/** Draws the steps of a track at `y`, `height` high. */
export function drawSteps(
  ink: Ink,
  scene: Scene,
  track: Track,
  y: number,
  height: number,
  colour: string,
): void {
  const { view } = scene;
  const crowd = new Crowd(ink, y, height, colour);
  const wide: (Run & { took: number })[] = [];
  // A crowd can hide a long step only where a pixel is longer than that.
  const canHide = view.span / ink.width > LONG;
  track.runs(view, ink.width, (run) => {
    const isWide = run.right - run.left >= 1.5;
    const took = run.count === 1 || canHide ? track.longest(run.first, run.first + run.count) : 0;
    if (run.count > 1 || !isWide) crowd.add(run.left, run.right, run.cover);
    if (isWide || took >= LONG) wide.push({ ...run, took });
  });
  crowd.end();
  for (const run of wide) drawBar(ink, run, run.took, y, height, colour);
}

/** One step; a long one is never thinner than can be seen. */
function drawBar(ink: Ink, run: Run, took: number, y: number, height: number, colour: string): void {
  const { colours } = ink;
  const isLong = took >= LONG;
  const width = Math.max(run.right - run.left, isLong ? 3 : 1);
  const fill = took >= BLOCKING ? colours.blocking : isLong ? colours.long : colour;
  ink.rect(run.left, y, width, height, fill);
  // A gap between neighbours, where there is room.
  if (width > 4) ink.rect(run.right - 0.5, y, 0.5, height, colours.sheet);
  const [left, right] = [Math.max(run.left, 0), Math.min(run.left + width, ink.width)];
  if (height < 10 || right - left < 34) return;
  const label = duration(took);
  if (ink.measure(label) + 10 < right - left)
    ink.text(
      label,
      left + 5,
      y + height / 2 + 0.5,
      took >= LONG && took < BLOCKING ? colours["on-long"] : colours["on-bar"],
    );
}

/** Neighbours too narrow to tell apart. */
class Crowd {
  private left = 0;
  private right = -1;
  private shade = 0;

  constructor(
    private readonly ink: Ink,
    private readonly y: number,
    private readonly height: number,
    private readonly colour: string,
  ) {}

  add(left: number, right: number, cover: number): void {
    const shade = Math.max(1, Math.ceil(cover * SHADES));
    if (shade !== this.shade || left - this.right > 0.01) {
      this.end();
      this.left = left;
      this.shade = shade;
    }
    this.right = Math.max(right, left + 0.6);
  }

  end(): void {
    if (this.right <= this.left) return;
    const { ink } = this;
    ink.faded(0.3 + (0.7 * this.shade) / SHADES, () =>
      ink.rect(this.left, this.y, this.right - this.left, this.height, this.colour),
    );
    this.right = -1;
    this.left = 0;
  }
}
