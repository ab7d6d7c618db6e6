// A table that can be sorted by each of its columns, and whose rows lead to what they tell of.

import { count } from "../count.ts";
import { button, el } from "../element.ts";

/** A column: what it says of a row, and what it is sorted by. */
export interface Column {
  title: string;
  /** What it says. */
  text: (row: number) => string;
  /** What it is sorted by; a number is also set to the right. */
  value?: (row: number) => number;
  /** What a text is sorted by, greatest first. */
  rank?: (row: number) => number;
  /** How grave it is, as the name of a class. */
  grade?: (row: number) => string;
  /** The values come to a share of the greatest, shown as a bar. */
  isShare?: boolean;
}

/** What a table shows. */
export interface Contents {
  title: string;
  /** One sentence for who sees it first. */
  about: string;
  /** What is said when there is no row. */
  none: string;
  columns: Column[];
  rows: number[];
  /** The column it is sorted by at first, greatest first. */
  sortedBy: number;
  go: (row: number) => void;
}

const SHOWN = 100;

/** A table of contents. */
export class Table {
  readonly element = el("div", { class: "table" });
  private column: number;
  private isDescending = true;
  private shown = SHOWN;
  private rows: number[];

  constructor(readonly contents: Contents) {
    this.column = contents.sortedBy;
    this.rows = contents.rows;
    this.sort();
    this.lay();
  }

  private sort(): void {
    const { value, rank = value, text } = this.contents.columns[this.column];
    const sign = this.isDescending ? -1 : 1;
    const compare = rank
      ? (a: number, b: number) => (rank(a) || 0) - (rank(b) || 0)
      : (a: number, b: number) => text(a).localeCompare(text(b), "en", { numeric: true });
    this.rows = this.contents.rows.slice().sort((a, b) => sign * compare(a, b) || a - b);
  }

  private lay(): void {
    const { about, none, rows, title } = this.contents;
    if (rows.length === 0) return this.element.replaceChildren(el("p", { class: "quiet" }, none));
    const table = el(
      "table",
      {},
      el("caption", {}, el("b", {}, title), ` ${about}`),
      this.head(),
      this.body(),
    );
    const left = this.rows.length - this.shown;
    const more =
      left > 0 ? button(`Show more (${count(left)})`, () => this.showMore(), { class: "more" }) : null;
    return this.element.replaceChildren(table, ...(more ? [more] : []));
  }

  private head(): HTMLElement {
    const cells = this.contents.columns.map(({ title, value }, at) => {
      const isSorted = at === this.column;
      const sort = isSorted ? (this.isDescending ? "descending" : "ascending") : "none";
      const arrow = isSorted ? (this.isDescending ? " ↓" : " ↑") : "";
      const act = button(title + arrow, () => this.sortBy(at));
      return el("th", { "aria-sort": sort, class: value ? "number" : "" }, act);
    });
    return el("thead", {}, el("tr", {}, ...cells));
  }

  private body(): HTMLElement {
    const { columns, go } = this.contents;
    const greatest = columns.map(({ value, isShare }) =>
      value && isShare ? this.rows.reduce((most, row) => Math.max(most, value(row) || 0), 0) : 0,
    );
    const rows = this.rows.slice(0, this.shown).map((row) => {
      const cells = columns.map((column, at) => this.cell(column, row, at === 0, greatest[at]));
      const line = el("tr", { tabIndex: 0, onclick: () => go(row) }, ...cells);
      line.addEventListener("keydown", (event) => this.key(event, row));
      return line;
    });
    return el("tbody", {}, ...rows);
  }

  private cell(column: Column, row: number, isFirst: boolean, greatest: number): HTMLElement {
    const { text, value, grade } = column;
    const words = text(row);
    const name = `${value ? "number" : ""} ${grade?.(row) ?? ""}`.trim();
    const cell = el(isFirst ? "th" : "td", { class: name, title: words.length > 40 ? words : "" }, words);
    if (isFirst) cell.scope = "row";
    if (greatest > 0 && value) {
      cell.classList.add("share");
      cell.style.setProperty("--share", `${((value(row) || 0) / greatest) * 100}%`);
    }
    return cell;
  }

  private key(event: KeyboardEvent, row: number): void {
    const line = event.currentTarget as HTMLElement;
    if (event.key === "Enter") this.contents.go(row);
    else if (event.key === "ArrowDown") (line.nextElementSibling as HTMLElement | null)?.focus();
    else if (event.key === "ArrowUp") (line.previousElementSibling as HTMLElement | null)?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private sortBy(column: number): void {
    // Numbers from the greatest, texts from the first.
    const { value, rank = value } = this.contents.columns[column];
    this.isDescending = column === this.column ? !this.isDescending : rank !== undefined;
    this.column = column;
    this.sort();
    this.lay();
  }

  private showMore(): void {
    this.shown += SHOWN * 5;
    this.lay();
  }
}
