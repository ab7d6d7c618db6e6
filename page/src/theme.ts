// Light and dark: as the system has it, until someone chooses; and light on paper.

import { button } from "./element.ts";

const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");

/** Takes the system's theme. */
export function colourAsSystem(): void {
  colour(system.matches);
}

/** The switch between light and dark; `recolour` is called after each change. */
export function themeSwitch(recolour: () => void): HTMLButtonElement {
  let isDark = system.matches;
  const show = (dark: boolean) => {
    colour(dark);
    recolour();
  };
  const set = (dark: boolean) => {
    isDark = dark;
    show(dark);
  };
  system.addEventListener("change", () => set(system.matches));
  window.addEventListener("beforeprint", () => show(false));
  window.addEventListener("afterprint", () => show(isDark));
  const properties = { id: "theme", title: "Light or dark (t)", "aria-label": "Light or dark" };
  return button("◐", () => set(!isDark), properties);
}

function colour(isDark: boolean): void {
  root.dataset.theme = isDark ? "dark" : "light";
}
