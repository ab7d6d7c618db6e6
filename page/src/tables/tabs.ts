// The tables below the picture, one at a time; in print all of them.

import { count } from "../count.ts";
import { el } from "../element.ts";
import type { Scene } from "../scene.ts";
import { connectionsTable } from "./connections.ts";
import { coroutinesTable } from "./coroutines.ts";
import { lanesTable, unfinishedTable } from "./lanes.ts";
import { stepsTable } from "./steps.ts";
import { type Contents, Table } from "./table.ts";
import { contentionTable, waitsTable } from "./waits.ts";

const NAMES = [
  "Longest steps",
  "Tasks",
  "Coroutines",
  "Slowest waits",
  "Never finished",
  "Contention",
  "Connections",
] as const;
const MAKERS: ((scene: Scene) => Contents)[] = [
  stepsTable,
  lanesTable,
  coroutinesTable,
  waitsTable,
  unfinishedTable,
  contentionTable,
  connectionsTable,
];

/** The tables with their tabs. */
export class Tabs {
  readonly element = el("section", { class: "tables", "aria-label": "Tables" });
  private readonly tabs: HTMLElement[];
  private readonly panels: HTMLElement[];
  private readonly tables: (Table | undefined)[] = [];

  constructor(private readonly scene: Scene) {
    this.tabs = NAMES.map((name, at) => this.tab(name, at));
    this.panels = NAMES.map((_, at) =>
      el("div", {
        id: `table-${at}`,
        class: "tab-panel",
        role: "tabpanel",
        "aria-labelledby": `tab-${at}`,
        tabIndex: -1,
      }),
    );
    const list = el("div", { class: "tab-list", role: "tablist", "aria-label": "Tables" }, ...this.tabs);
    list.addEventListener("keydown", (event) => this.key(event));
    this.element.append(list, ...this.panels);
    this.open(0);
  }

  /** Shows one of the tables. */
  open(chosen: number): void {
    this.fill(chosen);
    this.tabs.forEach((tab, at) => {
      tab.setAttribute("aria-selected", String(at === chosen));
      tab.tabIndex = at === chosen ? 0 : -1;
      this.panels[at].classList.toggle("open", at === chosen);
    });
  }

  /** Makes all tables, for print. */
  fillAll(): void {
    for (const at of NAMES.keys()) this.fill(at);
  }

  /** A table is made when it is first asked for. */
  private fill(at: number): void {
    if (this.tables[at] !== undefined) return;
    const table = new Table(MAKERS[at](this.scene));
    this.tables[at] = table;
    this.panels[at].append(table.element);
  }

  private tab(name: string, at: number): HTMLElement {
    const { data } = this.scene.weave;
    const open = data.lanes.kind.reduce(
      (sum, kind, it) => sum + (kind === 0 && Number.isNaN(data.lanes.ended[it]) ? 1 : 0),
      0,
    );
    const numbers: Record<string, number> = { "Never finished": open, Connections: data.sockets.length };
    const badge = numbers[name] ? el("span", { class: "badge" }, count(numbers[name])) : null;
    return el(
      "button",
      {
        type: "button",
        id: `tab-${at}`,
        role: "tab",
        "aria-controls": `table-${at}`,
        onclick: () => this.open(at),
      },
      name,
      badge,
    );
  }

  private key(event: KeyboardEvent): void {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = this.tabs.indexOf(document.activeElement as HTMLElement);
    if (by === undefined || at < 0) return;
    const next = (at + by + this.tabs.length) % this.tabs.length;
    event.stopPropagation();
    this.open(next);
    this.tabs[next].focus();
  }
}
