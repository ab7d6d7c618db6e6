// The hint: what is under the pointer, in a few words beside it.

import { el } from "./element.ts";
import type { Scene, Thing } from "./scene.ts";
import { hintFor } from "./words.ts";

/** A small box that follows the pointer. */
export class Hint {
  readonly element = el("div", { class: "hint", role: "tooltip", hidden: true });

  constructor(private readonly scene: Scene) {}

  /** Shows what `thing` is, beside a point of the window; hides if there is none. */
  show(thing: Thing | null, x: number, y: number): void {
    this.element.hidden = thing === null;
    if (thing === null) return;
    const lines = hintFor(this.scene, thing);
    this.element.replaceChildren(...lines.map((line) => el("div", {}, line)));
    const { offsetWidth, offsetHeight } = this.element;
    this.element.style.left = `${Math.max(4, Math.min(x + 14, window.innerWidth - offsetWidth - 8))}px`;
    this.element.style.top = `${y + 18 + offsetHeight > window.innerHeight ? y - offsetHeight - 10 : y + 18}px`;
  }
}
