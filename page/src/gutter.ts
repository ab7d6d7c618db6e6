// The names beside the lanes: a tree that can be folded. Only the rows in view are elements, however many
// there are.

import { count, counted } from "./count.ts";
import { ROW } from "./draw/lane.ts";
import type { Picture } from "./draw/picture.ts";
import { el } from "./element.ts";
import type { GroupName, Row } from "./lanes.ts";
import type { Scene } from "./scene.ts";
import { duration } from "./time.ts";
import { TASK } from "./weave.ts";

const TITLES: Record<GroupName, string> = {
  tasks: "Tasks",
  functions: "Functions called",
  descriptors: "Descriptors",
  jobs: "Executor jobs",
  sockets: "Sockets",
};

const INDENT = 14;
const DEEPEST = 9;

/** The names of the rows. */
export class Gutter {
  readonly element = el("div", { class: "names", role: "tree", tabIndex: 0, "aria-label": "Lanes" });

  constructor(
    private readonly scene: Scene,
    private readonly picture: Picture,
  ) {
    scene.onChange((reason) => reason !== "hovered" && this.lay());
    scene.lanes.onChange(() => this.lay());
  }

  /** Lays the names of the rows in view anew. */
  lay(): void {
    const [first, end] = this.picture.inView();
    const rows = this.scene.lanes.rows.slice(first, end);
    const focused =
      this.element.contains(document.activeElement) && document.activeElement?.parentElement?.id;
    this.element.replaceChildren(...rows.map((row, at) => this.row(row, first + at)));
    // A triangle that was pressed by a key can be pressed again.
    if (focused) this.element.querySelector<HTMLElement>(`#${focused} .fold`)?.focus();
    const chosen = this.element.querySelector('[aria-selected="true"]');
    if (chosen) this.element.setAttribute("aria-activedescendant", chosen.id);
    else this.element.removeAttribute("aria-activedescendant");
  }

  private row(row: Row, at: number): HTMLElement {
    const { chosen, found } = this.scene;
    const isChosen = chosen !== null && row.kind !== "group" && this.scene.row(chosen) === at;
    const isFound = row.kind === "lane" && found.has(row.index);
    const element = el("div", {
      id: `row-${at}`,
      class: `name ${row.kind}${isFound ? " found" : ""}`,
      role: "treeitem",
      "aria-level": row.depth + 1,
      "aria-selected": isChosen,
      "aria-expanded": row.below > 0 ? !row.folded : undefined,
      onclick: () => this.click(row),
    });
    element.style.top = `${at * ROW - this.picture.top}px`;
    element.style.paddingLeft = `${4 + Math.min(row.depth, DEEPEST) * INDENT}px`;
    element.append(this.fold(row), ...this.words(row));
    return element;
  }

  private click(row: Row): void {
    if (row.kind === "group") this.scene.lanes.toggle(row);
    else if (row.kind === "lane") this.scene.choose({ kind: "lane", index: row.index });
    else if (row.kind === "socket") this.scene.choose({ kind: "socket", index: row.index });
  }

  private fold(row: Row): HTMLElement {
    if (row.below === 0) return el("span", { class: "fold" });
    const act = (event: MouseEvent) => {
      event.stopPropagation();
      this.scene.lanes.toggle(row);
    };
    const label = row.folded ? `Unfold ${count(row.below)}` : "Fold";
    // Lanes are reached by the arrow keys, and folded by Enter; headings by the tab key.
    const tabIndex = row.kind === "group" ? 0 : -1;
    const properties = { class: "fold", tabIndex, title: label, "aria-label": label, onclick: act };
    return el("button", { type: "button", ...properties }, row.folded ? "▸" : "▾");
  }

  private words(row: Row): HTMLElement[] {
    if (row.kind === "group")
      return [this.word("title", TITLES[row.group]), this.word("note", count(row.below))];
    if (row.kind === "job") return this.jobWords(row.index);
    if (row.kind === "socket") return this.socketWords(row.index);
    return this.laneWords(row);
  }

  private laneWords(row: Row): HTMLElement[] {
    const { weave } = this.scene;
    const isTask = weave.data.lanes.kind[row.index] === TASK;
    const name = weave.name(row.index);
    const coroutine = weave.coroutine(row.index);
    const note = isTask ? (coroutine === name ? "" : coroutine) : weave.place(row.index);
    const folded = row.folded ? [this.word("badge", `+${count(row.below)}`)] : [];
    const title = `${weave.fullName(row.index)}\n${weave.place(row.index)}\nran ${duration(weave.totals.running[row.index])}`;
    const words = [this.word("title", name), this.word("note", note), ...folded];
    words.push(this.word("total", duration(weave.totals.running[row.index])));
    words[0].title = title;
    return words;
  }

  private jobWords(text: number): HTMLElement[] {
    return [
      this.word("title", this.scene.weave.text(text)),
      this.word("note", counted(this.scene.lanes.jobsOf.of(text).length, "job")),
    ];
  }

  private socketWords(socket: number): HTMLElement[] {
    const { sockets } = this.scene.weave.data;
    const kind = this.scene.weave.text(sockets.kind[socket]);
    const peer = this.scene.weave.text(sockets.peer[socket]);
    return [this.word("title", `${kind || "socket"} ${sockets.descriptor[socket]}`), this.word("note", peer)];
  }

  private word(name: string, text: string): HTMLElement {
    return el("span", { class: name }, text);
  }
}
