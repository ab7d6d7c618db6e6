// The bar on top: what program it was, what is lost, search, zoom, theme, help.

import { counted } from "./count.ts";
import { button, el } from "./element.ts";
import type { Scene } from "./scene.ts";
import { duration } from "./time.ts";
import type { View } from "./view.ts";

const LOST =
  "The recorder's ring was full, and the oldest records went: what is shown begins later, or has gaps.";

/** The bar; `search` and `theme` have their places in it. */
export function bar(
  scene: Scene,
  search: HTMLElement,
  theme: HTMLElement,
  openHelp: () => void,
): HTMLElement {
  const { facts, lost } = scene.weave.data;
  const program = facts.program ? el("span", { class: "program" }, facts.program) : null;
  const name = el("h1", {}, el("span", { class: "brand" }, "weave"), program);
  const loss =
    lost > 0 ? el("span", { class: "lost", title: LOST }, `${counted(lost, "record")} lost`) : null;
  const help = button("?", openHelp, { title: "Help (?)", "aria-label": "Help" });
  return el("header", { class: "bar" }, name, loss, search, zoomButtons(scene.view), theme, help);
}

/** Buttons that zoom, and how much time is shown. */
function zoomButtons(view: View): HTMLElement {
  const span = el("output", { class: "span", title: "How much time is shown" });
  const tell = () => {
    span.value = duration(view.span);
  };
  view.onChange(tell);
  tell();
  return el(
    "div",
    { class: "zoom", role: "group", "aria-label": "Zoom" },
    button("−", () => view.zoom(1.5), { title: "Zoom out (−)", "aria-label": "Zoom out" }),
    span,
    button("+", () => view.zoom(1 / 1.5), { title: "Zoom in (+)", "aria-label": "Zoom in" }),
    button("All", () => view.fit(), { title: "Show all (0)" }),
  );
}
