// Waits have four colours: for time to pass, for the kernel and others outside, for what is shared, for a task.

import type { Palette } from "../palette.ts";
import { kindOf } from "../waiting.ts";
import type { Weave } from "../weave.ts";

const known = new WeakMap<Weave, Map<number, keyof Palette>>();

/** The colour of a wait for the text of that number. */
export function waitColour(weave: Weave, what: number, colours: Palette): string {
  let names = known.get(weave);
  if (names === undefined) {
    names = new Map();
    known.set(weave, names);
  }
  let name = names.get(what);
  if (name === undefined) {
    name = colourName(weave.text(what));
    names.set(what, name);
  }
  return colours[name];
}

function colourName(what: string): keyof Palette {
  const { name, contends } = kindOf(what);
  if (name === "timer") return "wait-time";
  if (name === "socket" || name === "child process" || name === "executor") return "wait-kernel";
  return contends ? "wait-shared" : "wait-task";
}
