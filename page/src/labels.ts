// What stands to the left of the picture's head: buttons for all lanes, and the names of the loop's strips.

import { STRIPS } from "./draw/loop.ts";
import { button, el } from "./element.ts";
import type { Scene } from "./scene.ts";
import { duration } from "./time.ts";

const LAG =
  "How long something had to wait: a step that stood ready, or an event that the loop did not ask for.";

/** Buttons that fold, unfold and leave out lanes. */
export function laneButtons(scene: Scene): HTMLElement {
  const { lanes } = scene;
  const fold = button("Fold all", () => lanes.foldAll(), { title: "Fold all ([)" });
  const unfold = button("Unfold all", () => lanes.unfoldAll(), { title: "Unfold all (])" });
  const title = "Hide lanes that are not alive in the time shown (o)";
  const act = () => scene.showOnlyAlive(!scene.isOnlyAlive);
  const alive = button("Only alive", act, { title, "aria-pressed": false });
  lanes.onChange(() => alive.setAttribute("aria-pressed", String(scene.isOnlyAlive)));
  return el("div", { class: "corner" }, fold, unfold, alive);
}

/** The names of the strips of the loop's lane, each beside it. */
export function stripLabels({ curves, view }: Scene): HTMLElement {
  const work = `${Math.round(curves.busyIn(0, view.end) * 100)} % at work`;
  const ready = `up to ${curves.mostReady}`;
  const lag = `up to ${duration(curves.mostLag)}`;
  return el(
    "div",
    { class: "labels" },
    label("work", "Loop", work, "Coloured: in a step. Grey: asleep, until the kernel has events."),
    label("ready", "Ready queue", ready, "How many were ready when the loop asked for events."),
    label("lag", "Lag", lag, LAG),
    label(
      "marks",
      "Marks",
      "and garbage collections",
      "What the program said, and when garbage was collected.",
    ),
  );
}

function label(strip: keyof typeof STRIPS, name: string, note: string, title: string): HTMLElement {
  const words = [el("span", { class: "title" }, name), el("span", { class: "note" }, note)];
  const element = el("div", { class: "label", title }, ...words);
  element.style.top = `${STRIPS[strip].y}px`;
  element.style.height = `${STRIPS[strip].height}px`;
  return element;
}
