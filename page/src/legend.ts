// The legend: what bars, lines and signs of the picture mean.

import { el } from "./element.ts";

const SIGNS: readonly (readonly [string, string])[] = [
  ["bar task", "a step of a task: its code runs, and nothing else does"],
  ["bar function", "a call of a function by the loop"],
  ["bar descriptor", "what the loop does for a descriptor"],
  ["bar long", "a step of 10 ms or more"],
  ["bar blocking", "a step of 100 ms or more: the loop stood still, shown across all lanes"],
  ["band", "ready, but others went first"],
  ["wire time", "waits for time to pass"],
  ["wire kernel", "waits for a socket, a process or a thread"],
  ["wire shared", "waits for what is shared: lock, queue, event …"],
  ["wire task", "waits for another task or a future"],
  ["arrow", "a wake-up, from who woke to who was woken; dashed: by the loop"],
  ["stroke", "the task was asked to cancel itself"],
  ["cross", "the task ended with an exception; a square: cancelled; a stroke: it returned"],
];

/** The signs, each with its meaning. */
export function legend(): HTMLElement {
  const lines = SIGNS.map(([sign, text]) => el("li", {}, el("i", { class: `sign ${sign}` }), text));
  return el("ul", { class: "legend" }, ...lines);
}
