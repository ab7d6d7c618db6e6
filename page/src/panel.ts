// The panel: all that is known of what is chosen, and ways on from there.

import { describeLane, describeWait } from "./details/lane.ts";
import {
  describeCollection,
  describeJob,
  describeMark,
  describePoll,
  describeRecording,
  describeSocket,
} from "./details/others.ts";
import { describeStep } from "./details/step.ts";
import { button, el } from "./element.ts";
import type { Kind, Scene } from "./scene.ts";

const DETAILS: Record<Kind, (scene: Scene, index: number) => Node[]> = {
  step: describeStep,
  wait: describeWait,
  lane: describeLane,
  socket: describeSocket,
  job: describeJob,
  mark: describeMark,
  collection: describeCollection,
  poll: describePoll,
};

/** Details of what is chosen. */
export class Panel {
  readonly element = el("aside", { class: "panel", "aria-label": "Details", tabIndex: 0 });

  constructor(private readonly scene: Scene) {
    scene.onChange((reason) => reason === "chosen" && this.lay());
    this.lay();
  }

  private lay(): void {
    const { chosen } = this.scene;
    const details =
      chosen === null ? describeRecording(this.scene) : DETAILS[chosen.kind](this.scene, chosen.index);
    this.element.replaceChildren(...(chosen === null ? [] : [this.close()]), ...details);
    this.element.scrollTop = 0;
  }

  private close(): HTMLElement {
    const properties = { class: "close", title: "Close (Escape)", "aria-label": "Close" };
    return button("✕", () => this.scene.choose(null), properties);
  }
}
