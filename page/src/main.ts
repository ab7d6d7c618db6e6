// The beginning: reads the recording out of the page, and shows it, or says why it cannot.

import "./style/index.css";
import { readText, Unreadable } from "./data.ts";
import { el } from "./element.ts";
import { type Handle, handleFor } from "./handle.ts";
import { Page } from "./page.ts";
import { Scene } from "./scene.ts";
import { colourAsSystem } from "./theme.ts";
import { Weave } from "./weave.ts";

declare global {
  interface Window {
    weave?: Handle;
  }
}

async function show(root: HTMLElement): Promise<void> {
  const source = document.getElementById("weave");
  const data = await readText(source?.textContent ?? "");
  // The text is as large as the recording: not needed twice.
  source?.replaceChildren();
  const scene = new Scene(new Weave(data));
  const page = new Page(scene);
  const program = data.facts.program;
  document.title = program ? `${program} – weave` : "weave";
  page.mount(root);
  window.weave = handleFor(scene, page);
}

function explain(root: HTMLElement, problem: unknown): void {
  const message =
    problem instanceof Unreadable ? problem.message : `The recording cannot be shown: ${problem}`;
  root.replaceChildren(
    el("div", { class: "problem", role: "alert" }, el("h1", {}, "Nothing to show"), el("p", {}, message)),
  );
}

const root = document.getElementById("app") as HTMLElement;
colourAsSystem();
show(root).catch((problem: unknown) => explain(root, problem));
