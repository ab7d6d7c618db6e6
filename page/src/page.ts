// The page: where its parts stand, and how they move together.

import { bar } from "./bar.ts";
import { ROW } from "./draw/lane.ts";
import { HEAD } from "./draw/loop.ts";
import { Picture } from "./draw/picture.ts";
import { el } from "./element.ts";
import { Gutter } from "./gutter.ts";
import { headline } from "./headline.ts";
import { helpDialog } from "./help.ts";
import { Hint } from "./hint.ts";
import { followKeyboard } from "./keyboard.ts";
import { laneButtons, stripLabels } from "./labels.ts";
import { Panel } from "./panel.ts";
import { followPointer } from "./pointer.ts";
import type { Scene } from "./scene.ts";
import { Search } from "./search.ts";
import { splitter } from "./splitter.ts";
import { Tabs } from "./tables/tabs.ts";
import { themeSwitch } from "./theme.ts";

/** All of the page for a scene. */
export class Page {
  readonly picture: Picture;
  private readonly gutter: Gutter;
  private readonly search: Search;
  private readonly tabs: Tabs;
  private readonly help = helpDialog();
  private readonly hint: Hint;
  private readonly stage = el("div", { class: "stage" });
  private readonly spacer = el("div", { class: "spacer" });
  private readonly scroller = el("div", { class: "scroller" });
  private readonly theme: HTMLButtonElement;
  private anchor: { lane: number; y: number } | null = null;

  constructor(private readonly scene: Scene) {
    this.picture = new Picture(scene);
    this.gutter = new Gutter(scene, this.picture);
    this.search = new Search(scene);
    this.tabs = new Tabs(scene);
    this.hint = new Hint(scene);
    this.theme = themeSwitch(() => this.picture.recolour());
  }

  /** Puts it into `root`, and lets it move. */
  mount(root: HTMLElement): void {
    const { scene, hint, help, picture } = this;
    const top = bar(scene, this.search.element, this.theme, () => help.showModal());
    const strip = el("div", { class: "strip" }, laneButtons(scene), picture.overview);
    const weave = el("main", { class: "weave", "aria-label": "The weave" }, strip, this.head(), this.body());
    const upper = el("div", { class: "upper" }, weave, new Panel(scene).element);
    root.replaceChildren(top, headline(scene), upper, splitter(root), this.tabs.element, help, hint.element);
    this.follow();
    this.measure();
  }

  private follow(): void {
    const { scene, picture, scroller } = this;
    scroller.addEventListener("scroll", () => this.scrolled());
    scene.lanes.onChange(() => this.measure());
    scene.onBring((row) => this.bring(row));
    new ResizeObserver(() => this.scrolled()).observe(scroller);
    followPointer(
      scene,
      picture,
      (pixels) => scroller.scrollBy(0, pixels),
      (thing, x, y) => this.hint.show(thing, x, y),
    );
    followKeyboard(scene, {
      search: () => this.search.input.select(),
      next: (by) => this.search.step(by),
      turn: (by) => scroller.scrollBy(0, by * scroller.clientHeight * 0.9),
      theme: () => this.theme.click(),
      help: () => this.help.showModal(),
    });
    window.addEventListener("beforeprint", () => {
      this.tabs.fillAll();
      picture.draw();
    });
  }

  private head(): HTMLElement {
    const element = el("div", { class: "top" }, stripLabels(this.scene), this.picture.head);
    element.style.height = `${HEAD}px`;
    return element;
  }

  private body(): HTMLElement {
    this.stage.append(this.gutter.element, this.picture.rows);
    this.scroller.append(this.stage, this.spacer);
    return this.scroller;
  }

  /** After the rows changed: their height is another, and what was looked at stays in its place. */
  private measure(): void {
    const { anchor } = this;
    this.spacer.style.height = `${this.scene.lanes.rows.length * ROW}px`;
    const row = anchor === null ? -1 : this.scene.lanes.rowOf(anchor.lane);
    if (anchor !== null && row >= 0) this.scroller.scrollTop = row * ROW - anchor.y;
    this.scrolled();
  }

  private scrolled(): void {
    const { scroller } = this;
    // The head ends where the rows end, beside their scroll bar: one time, one place.
    scroller.parentElement?.style.setProperty(
      "--scrollbar",
      `${scroller.offsetWidth - scroller.clientWidth}px`,
    );
    this.stage.style.height = `${scroller.clientHeight}px`;
    this.picture.top = this.scroller.scrollTop;
    this.anchor = this.findAnchor();
    this.gutter.lay();
    this.picture.refresh();
  }

  /** The chosen lane if it is in view, else the first that is. */
  private findAnchor(): { lane: number; y: number } | null {
    const { scene, picture } = this;
    const [first, end] = picture.inView();
    const chosen = scene.chosen === null ? -1 : scene.row(scene.chosen);
    const isLane = (at: number) => at >= first && at < end && scene.lanes.rows[at].kind === "lane";
    let at = isLane(chosen) ? chosen : first;
    while (at < end && !isLane(at)) at++;
    return at < end ? { lane: scene.lanes.rows[at].index, y: at * ROW - picture.top } : null;
  }

  /** Scrolls as little as shows a row. */
  private bring(row: number): void {
    const { scroller } = this;
    const [top, bottom] = [row * ROW, (row + 1) * ROW];
    if (top < scroller.scrollTop || bottom > scroller.scrollTop + scroller.clientHeight) {
      scroller.scrollTop = top - scroller.clientHeight / 2;
    }
    this.scrolled();
  }
}
