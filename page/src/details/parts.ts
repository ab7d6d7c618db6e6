// What the details of several things have in common.

import { button, el } from "../element.ts";
import type { Scene, Thing } from "../scene.ts";

/** What it is, and whose. */
export function heading(kind: string, name: string): HTMLElement {
  return el("h2", {}, el("small", {}, `${kind} `), name);
}

/** A place in a source file; empty if it is not known. */
export function code(place: string): HTMLElement | string {
  return place ? el("code", {}, place) : "";
}

/** Buttons that go to things; those without a goal cannot be pressed. */
export function jumpButtons(scene: Scene, ...places: [string, number, Thing["kind"]?][]): HTMLElement {
  const buttons = places.map(([text, index, kind = "step"]) =>
    button(text, () => scene.go({ kind, index }), { disabled: index < 0 }),
  );
  return el("div", { class: "jumps" }, ...buttons);
}

/** Who awaits whom, each below the one that awaits it. */
export function chainList(names: string[]): Node[] {
  if (names.length === 0) return [];
  const lines = names.map((name) => el("li", {}, el("code", {}, name)));
  return [el("h3", {}, "Who awaits whom"), el("ol", { class: "chain" }, ...lines)];
}
