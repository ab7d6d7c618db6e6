// What tests ask the page: what is shown, and where. It only reads.

import { ROW } from "./draw/lane.ts";
import type { Page } from "./page.ts";
import type { Scene, Thing } from "./scene.ts";

/** A bar of the picture, in pixels of the window. */
export interface Drawn {
  lane: number;
  step: number;
  count: number;
  left: number;
  right: number;
  y: number;
}

/** The answers. */
export interface Handle {
  readonly lanes: number;
  readonly steps: number;
  rows(): { kind: string; name: string; depth: number; folded: boolean }[];
  view(): { from: number; to: number };
  chosen(): Thing | null;
  drawn(): Drawn[];
  took(): number;
}

/** The answers for a page. */
export function handleFor(scene: Scene, page: Page): Handle {
  const { weave, lanes, view } = scene;
  return Object.freeze({
    lanes: weave.data.lanes.length,
    steps: weave.data.steps.length,
    rows: () =>
      lanes.rows.map(({ kind, index, group, depth, folded }) => {
        return { kind, name: kind === "lane" ? weave.name(index) : group, depth, folded };
      }),
    view: () => ({ from: view.from, to: view.to }),
    chosen: () => (scene.chosen ? { ...scene.chosen } : null),
    drawn: () => drawn(scene, page),
    took: () => page.picture.took,
  });
}

function drawn(scene: Scene, { picture }: Page): Drawn[] {
  const bars: Drawn[] = [];
  const { left: x, top: y } = picture.rows.getBoundingClientRect();
  const [first, end] = picture.inView();
  for (let at = first; at < end; at++) {
    const row = scene.lanes.rows[at];
    if (row.kind !== "lane") continue;
    const track = scene.weave.stepTrack(row.index);
    track.runs(scene.view, picture.rows.clientWidth, ({ left, right, first, count }) => {
      const middle = y + at * ROW - picture.top + ROW / 2;
      bars.push({
        lane: row.index,
        step: track.item(first),
        count,
        left: x + left,
        right: x + right,
        y: middle,
      });
    });
  }
  return bars;
}
