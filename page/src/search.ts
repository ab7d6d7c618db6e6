// Search by name: tasks, functions, descriptors, sockets, marks, jobs. One match after another.

import { count } from "./count.ts";
import { button, el } from "./element.ts";
import type { Scene, Thing } from "./scene.ts";

/** All things whose names contain `words`, whatever their case: lanes first. */
export function matches(scene: Scene, words: string): Thing[] {
  const wanted = words.trim().toLowerCase();
  if (wanted === "") return [];
  const { weave } = scene;
  const { lanes, sockets, marks, jobs } = weave.data;
  const isNamed = weave.data.strings.map((text) => text.toLowerCase().includes(wanted));
  const isFound = (lane: number) =>
    isNamed[lanes.name[lane]] ||
    isNamed[lanes.coroutine[lane]] ||
    weave.place(lane).toLowerCase().includes(wanted) ||
    weave.name(lane).toLowerCase().includes(wanted);
  const all = (kind: Thing["kind"], length: number, isIn: (index: number) => boolean) =>
    Array.from({ length }, (_, index) => ({ kind, index })).filter(({ index }) => isIn(index));
  // Lanes in the order in which they are shown.
  const { tasks, functions, descriptors } = scene.lanes.members;
  const found = [...tasks, ...functions, ...descriptors]
    .filter(isFound)
    .map((index) => ({ kind: "lane" as const, index }));
  return [
    ...found,
    ...all("socket", sockets.length, (it) => isNamed[sockets.peer[it]]),
    ...all("mark", marks.length, (it) => isNamed[marks.text[it]]),
    ...all("job", jobs.length, (it) => isNamed[jobs.function[it]]),
  ];
}

/** The search box. */
export class Search {
  readonly input = el("input", { "aria-label": "Search by name" });
  readonly element: HTMLElement;
  private readonly status = el("output", { class: "matches", "aria-live": "polite" });
  private found: Thing[] = [];
  private at = -1;
  private due = 0;

  constructor(private readonly scene: Scene) {
    Object.assign(this.input, { type: "search", placeholder: "Search  ( / )", spellcheck: false });
    this.input.addEventListener("input", () => this.searchSoon());
    this.input.addEventListener("keydown", (event) => this.key(event));
    const previous = button("↑", () => this.step(-1), {
      title: "Previous match (Shift+N)",
      "aria-label": "Previous match",
    });
    const next = button("↓", () => this.step(1), { title: "Next match (N)", "aria-label": "Next match" });
    this.element = el("div", { class: "search", role: "search" }, this.input, this.status, previous, next);
  }

  /** Goes to the next match, or with -1 to the one before. */
  step(by: number): void {
    this.searchNow();
    if (this.found.length === 0) return;
    this.at = (this.at + by + this.found.length) % this.found.length;
    if (this.at < 0) this.at = 0;
    this.scene.go(this.found[this.at]);
    this.tell();
  }

  /** Forgets what was searched. */
  clear(): void {
    this.input.value = "";
    this.searchNow();
  }

  private searchSoon(): void {
    window.clearTimeout(this.due);
    this.due = window.setTimeout(() => this.searchNow(), 120);
  }

  private searchNow(): void {
    window.clearTimeout(this.due);
    const words = this.input.value;
    if (words === this.input.dataset.searched) return;
    this.input.dataset.searched = words;
    this.found = matches(this.scene, words);
    this.at = -1;
    this.scene.find(new Set(this.found.filter(({ kind }) => kind === "lane").map(({ index }) => index)));
    this.tell();
  }

  private tell(): void {
    const all = count(this.found.length);
    if (this.input.value.trim() === "") this.status.value = "";
    else if (this.found.length === 0) this.status.value = "no match";
    else this.status.value = this.at < 0 ? `${all} found` : `${count(this.at + 1)} of ${all}`;
  }

  private key(event: KeyboardEvent): void {
    if (event.key === "Enter") this.step(event.shiftKey ? -1 : 1);
    else if (event.key === "Escape") {
      this.clear();
      this.input.blur();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
