// The picture: overview, axis, the loop's lane, and the rows in view, drawn anew once for each frame in
// which something changed.

import { el } from "../element.ts";
import type { Row } from "../lanes.ts";
import { type Palette, palette } from "../palette.ts";
import type { Scene } from "../scene.ts";
import { Track } from "../track.ts";
import { BLOCKING } from "../weave.ts";
import { drawArrows } from "./arrows.ts";
import { drawAxis, drawGrid, drawPointer } from "./axis.ts";
import { drawSteps } from "./bars.ts";
import { Ink } from "./ink.ts";
import { BAR, drawLane, INSET, ROW } from "./lane.ts";
import { drawLoop } from "./loop.ts";
import { drawJobs, drawSocket } from "./outside.ts";
import { drawOverview } from "./overview.ts";

/** The canvases of a scene. */
export class Picture {
  readonly overview = el("canvas", {
    class: "overview",
    role: "img",
    "aria-label": "The whole recording; drag to choose a part",
  });
  readonly head = el("canvas", { class: "head", role: "img", "aria-label": "Time axis and the loop" });
  readonly rows = el("canvas", {
    class: "rows",
    role: "img",
    "aria-label": "Steps and waits of the lanes in view",
  });
  /** How far the rows are scrolled, in pixels. */
  top = 0;
  /** Where the pointer is, in pixels from the left; null if it is elsewhere. */
  pointer: number | null = null;
  /** How long drawing took last, in milliseconds. */
  took = 0;
  private readonly inks: Record<"overview" | "head" | "rows", Ink>;
  private isDue = false;
  private readonly within = new Map<string, Track>();

  constructor(private readonly scene: Scene) {
    const colours = palette();
    const { overview, head, rows } = this;
    this.inks = {
      overview: new Ink(overview, colours),
      head: new Ink(head, colours),
      rows: new Ink(rows, colours),
    };
    scene.view.onChange(() => this.refresh());
    scene.onChange(() => this.refresh());
    scene.lanes.onChange(() => this.refresh());
    new ResizeObserver(() => this.refresh()).observe(rows);
  }

  /** Draws it with the next frame. */
  refresh(): void {
    if (this.isDue) return;
    this.isDue = true;
    requestAnimationFrame(() => this.draw());
  }

  /** Takes the colours of the theme now in force. */
  recolour(colours: Palette = palette()): void {
    for (const ink of Object.values(this.inks)) ink.colours = colours;
    this.refresh();
  }

  /** Draws it at once. */
  draw(): void {
    this.isDue = false;
    const start = performance.now();
    const { overview, head } = this.inks;
    overview.begin();
    drawOverview(overview, this.scene);
    head.begin();
    drawAxis(head, this.scene.view);
    drawLoop(head, this.scene);
    if (this.pointer !== null) drawPointer(head, this.scene.view, this.pointer);
    this.drawRows();
    this.took = performance.now() - start;
  }

  /** Places in the list of rows of the first in view, and of that after the last. */
  inView(): [number, number] {
    const first = Math.max(0, Math.floor(this.top / ROW));
    const end = Math.ceil((this.top + this.rows.clientHeight) / ROW);
    return [first, Math.min(end, this.scene.lanes.rows.length)];
  }

  private drawRows(): void {
    const ink = this.inks.rows;
    const { lanes, view } = this.scene;
    ink.begin();
    drawGrid(ink, view);
    const [first, end] = this.inView();
    for (let at = first; at < end; at++) this.drawBack(lanes.rows[at], at * ROW - this.top);
    this.drawStandstills();
    for (let at = first; at < end; at++) this.drawRow(lanes.rows[at], at * ROW - this.top);
    drawArrows(ink, this.scene, -this.top);
    this.drawChosen();
    if (this.pointer !== null)
      ink.faded(0.4, () => ink.rect(this.pointer ?? 0, 0, 1, ink.height, ink.colours.muted));
  }

  private drawBack(row: Row, y: number): void {
    const ink = this.inks.rows;
    const { chosen, found } = this.scene;
    if (row.kind === "group") ink.rect(0, y, ink.width, ROW, ink.colours.row);
    if (row.kind === "lane" && found.has(row.index)) ink.rect(0, y, ink.width, ROW, ink.colours["row-found"]);
    if (row.kind === "lane" && chosen && this.scene.laneOf(chosen) === row.index) {
      ink.rect(0, y, ink.width, ROW, ink.colours["row-chosen"]);
    }
  }

  /** While a step blocks, all lanes stand still: that is shown across all of them. */
  private drawStandstills(): void {
    const ink = this.inks.rows;
    const { weave, view } = this.scene;
    for (const step of weave.longestSteps) {
      if (weave.data.steps.took[step] < BLOCKING) break;
      const [left, right] = [
        view.x(weave.data.steps.began[step], ink.width),
        view.x(weave.stepEnded[step], ink.width),
      ];
      ink.rect(left, 0, Math.max(right - left, 1), ink.height, ink.colours["blocking-band"]);
    }
  }

  private drawRow(row: Row, y: number): void {
    const ink = this.inks.rows;
    if (row.kind === "lane") drawLane(ink, this.scene, row.index, y);
    if (row.kind === "job") drawJobs(ink, this.scene, row.index, y);
    if (row.kind === "socket") drawSocket(ink, this.scene, row.index, y);
    if (!row.folded || row.group === "jobs" || row.group === "sockets") return;
    const isLane = row.kind === "lane";
    const colour = {
      tasks: ink.colours.task,
      functions: ink.colours.function,
      descriptors: ink.colours.descriptor,
    };
    const [inset, height] = isLane ? [ROW - 4, 3] : [INSET, BAR];
    drawSteps(ink, this.scene, this.folded(row), y + inset, height, colour[row.group as keyof typeof colour]);
  }

  /** The steps of what is folded; kept, since gathering them takes time. */
  private folded(row: Row): Track {
    const key = `${row.group} ${row.index}`;
    let track = this.within.get(key);
    if (track === undefined) {
      if (this.within.size > 200) this.within.clear();
      const { weave, lanes } = this.scene;
      track = Track.of(lanes.stepsWithin(row), weave.data.steps.began, weave.stepEnded);
      this.within.set(key, track);
    }
    return track;
  }

  private drawChosen(): void {
    const ink = this.inks.rows;
    for (const thing of [this.scene.hovered, this.scene.chosen]) {
      const row = thing === null ? -1 : this.scene.row(thing);
      if (thing === null || thing.kind === "lane" || thing.kind === "socket" || row < 0) continue;
      const [from, to] = this.scene.times(thing);
      const [left, right] = [this.scene.view.x(from, ink.width), this.scene.view.x(to, ink.width)];
      const y = row * ROW - this.top + INSET;
      const isChosen = thing === this.scene.chosen;
      ink.frame(
        left - 1,
        y - 1,
        Math.max(right - left, 3) + 2,
        BAR + 2,
        isChosen ? ink.colours.chosen : ink.colours.muted,
      );
    }
  }
}
