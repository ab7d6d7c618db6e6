// The axis: when, in round times; and the line that follows the pointer.

import { moment, ticks } from "../time.ts";
import type { View } from "../view.ts";
import type { Ink } from "./ink.ts";

export const AXIS = 24;

/** Ticks with their times. */
export function drawAxis(ink: Ink, view: View): void {
  const { width, colours } = ink;
  for (const { time, label } of ticks(view.from, view.to, (view.span / width) * 96)) {
    const x = Math.round(view.x(time, width));
    ink.rect(x, AXIS - 6, 1, 6, colours.line);
    ink.text(label, x + 4, AXIS / 2, colours.muted);
  }
  ink.rect(0, AXIS - 1, width, 1, colours.line);
}

/** The ticks' lines, behind all else. */
export function drawGrid(ink: Ink, view: View): void {
  for (const { time } of ticks(view.from, view.to, (view.span / ink.width) * 96)) {
    ink.rect(Math.round(view.x(time, ink.width)), 0, 1, ink.height, ink.colours.row);
  }
}

/** The time under the pointer. */
export function drawPointer(ink: Ink, view: View, x: number): void {
  const { width, colours } = ink;
  const label = moment(view.time(x, width));
  const wide = ink.measure(label) + 12;
  const left = Math.min(Math.max(x - wide / 2, 0), width - wide);
  ink.rect(left, 2, wide, AXIS - 5, colours.ink);
  ink.text(label, left + 6, AXIS / 2, colours.paper);
}
