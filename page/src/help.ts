// The help: what the picture means, and the keys.

import { button, el } from "./element.ts";
import { KEYS } from "./keyboard.ts";
import { legend } from "./legend.ts";

const POINTER: readonly (readonly [string, string])[] = [
  ["Wheel, pinch", "zoom at the pointer"],
  ["Drag", "move in time and through the lanes"],
  ["Shift + wheel", "through the lanes; also the wheel over the names"],
  ["Drag in the strip on top", "choose a part; double-click: all"],
  ["Click", "details"],
];

/** The help, as a dialogue. */
export function helpDialog(): HTMLDialogElement {
  const close = button("Close", () => dialog.close(), { class: "primary" });
  const dialog = el(
    "dialog",
    { class: "help", "aria-label": "Help" },
    el("h2", {}, "How to read the weave"),
    legend(),
    el("div", { class: "two" }, list("Keys", KEYS), list("Pointer", POINTER)),
    close,
  );
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  return dialog;
}

function list(title: string, lines: readonly (readonly [string, string])[]): HTMLElement {
  const terms = lines.flatMap(([key, text]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, text)]);
  return el("section", {}, el("h3", {}, title), el("dl", {}, ...terms));
}
