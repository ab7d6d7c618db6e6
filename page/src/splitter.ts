// The bar between the picture and the tables: drag it, or move it with the arrow keys.

import { el } from "./element.ts";

const LEAST = 60;

/** A bar that sets how high the tables in `root` are. */
export function splitter(root: HTMLElement): HTMLElement {
  const bar = el("div", {
    class: "splitter",
    role: "separator",
    tabIndex: 0,
    "aria-orientation": "horizontal",
    "aria-label": "Height of the tables",
  });
  const set = (height: number) => {
    const most = window.innerHeight - 320;
    root.style.setProperty("--tables", `${Math.round(Math.max(LEAST, Math.min(height, most)))}px`);
  };
  const height = () => (bar.nextElementSibling as HTMLElement).clientHeight;
  bar.addEventListener("pointerdown", (event) => bar.setPointerCapture(event.pointerId));
  bar.addEventListener("pointermove", (event) => {
    if (event.buttons === 1) set(window.innerHeight - event.clientY - bar.clientHeight);
  });
  bar.addEventListener("keydown", (event) => {
    const by = { ArrowUp: 24, ArrowDown: -24 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    set(height() + by);
  });
  return bar;
}
