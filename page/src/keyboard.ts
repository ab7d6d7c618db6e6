// The keys: everything that the pointer does can be done with them.

import type { Scene, Thing } from "./scene.ts";

/** The keys in words. */
export const KEYS: readonly (readonly [string, string])[] = [
  ["← →  a d", "move in time"],
  ["+ −  w s", "zoom"],
  ["0  Home", "show all"],
  ["↑ ↓", "lane above, lane below"],
  ["Page ↑  Page ↓", "through the lanes"],
  ["Enter  Space", "fold or unfold the lane"],
  [",  .", "previous step, next step"],
  ["u", "the step that woke this one"],
  ["p", "the parent"],
  ["b", "the longest step"],
  ["z", "zoom to what is chosen"],
  ["[  ]", "fold all, unfold all"],
  ["o", "only lanes alive in the time shown"],
  ["/  n  N", "search; next match, previous match"],
  ["t", "light or dark"],
  ["Escape", "let go of what is chosen"],
  ["?", "this help"],
];

/** What keys may ask for beyond the scene. */
export interface Orders {
  search: () => void;
  next: (by: number) => void;
  /** Scrolls the lanes by pages. */
  turn: (by: number) => void;
  theme: () => void;
  help: () => void;
}

/** Lets the keyboard act on the scene. */
export function followKeyboard(scene: Scene, orders: Orders): void {
  const acts = actsOf(scene, orders);
  document.addEventListener("keydown", (event) => {
    const isTyping =
      event.target instanceof HTMLInputElement || document.querySelector("dialog[open]") !== null;
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    // A button that has the focus keeps the keys that press it.
    if (event.target instanceof HTMLButtonElement && (event.key === "Enter" || event.key === " ")) return;
    const act = acts[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
}

function actsOf(scene: Scene, orders: Orders): Record<string, () => void> {
  const { view, lanes, weave } = scene;
  const left = () => view.pan(-view.span / 8);
  const right = () => view.pan(view.span / 8);
  const closer = () => view.zoom(1 / 1.5, middle(scene));
  const wider = () => view.zoom(1.5, middle(scene));
  const all = () => view.fit();
  const fold = () => foldRow(scene);
  return {
    ArrowLeft: left,
    a: left,
    ArrowRight: right,
    d: right,
    "+": closer,
    "=": closer,
    w: closer,
    "-": wider,
    s: wider,
    "0": all,
    Home: all,
    ArrowUp: () => moveLane(scene, -1),
    ArrowDown: () => moveLane(scene, 1),
    PageUp: () => orders.turn(-1),
    PageDown: () => orders.turn(1),
    Enter: fold,
    " ": fold,
    ",": () => goStep(scene, -1),
    ".": () => goStep(scene, 1),
    u: () => goIf(scene, "step", scene.chosen?.kind === "step" ? weave.waker(scene.chosen.index) : -1),
    p: () => goIf(scene, "lane", scene.chosen ? parentOf(scene, scene.chosen) : -1),
    b: () => goIf(scene, "step", weave.longestSteps[0] ?? -1),
    z: () => zoomToChosen(scene),
    "[": () => lanes.foldAll(),
    "]": () => lanes.unfoldAll(),
    o: () => scene.showOnlyAlive(!scene.isOnlyAlive),
    n: () => orders.next(1),
    N: () => orders.next(-1),
    "/": orders.search,
    t: orders.theme,
    "?": orders.help,
    Escape: () => scene.choose(null),
  };
}

/** Zooming keeps what is chosen in its place, if it is in view. */
function middle(scene: Scene): number {
  const { chosen, view } = scene;
  const centre = (view.from + view.to) / 2;
  if (chosen === null || chosen.kind === "lane") return centre;
  const [from, to] = scene.times(chosen);
  const time = (from + to) / 2;
  return time >= view.from && time <= view.to ? time : centre;
}

function goIf(scene: Scene, kind: Thing["kind"], index: number): void {
  if (index >= 0) scene.go({ kind, index });
}

function parentOf(scene: Scene, thing: Thing): number {
  const lane = scene.laneOf(thing);
  return lane < 0 ? -1 : scene.weave.data.lanes.parent[lane];
}

/** From row to row; headings are passed over. */
function moveLane(scene: Scene, by: number): void {
  const { rows } = scene.lanes;
  let at = scene.chosen === null ? -1 : scene.row(scene.chosen);
  do at += by;
  while (rows[at]?.kind === "group" || rows[at]?.kind === "job");
  const row = rows[at];
  if (row === undefined) return;
  const thing: Thing = { kind: row.kind === "socket" ? "socket" : "lane", index: row.index };
  scene.choose(thing);
  scene.bring(thing);
}

function foldRow(scene: Scene): void {
  const row = scene.chosen === null ? undefined : scene.lanes.rows[scene.row(scene.chosen)];
  if (row) scene.lanes.toggle(row);
}

function goStep(scene: Scene, by: number): void {
  const { chosen, weave } = scene;
  if (chosen?.kind === "step") return goIf(scene, "step", weave.neighbour(chosen.index, by));
  if (chosen?.kind === "wait") {
    const around = weave.stepsAround(
      weave.data.waits.lane[chosen.index],
      weave.data.waits.began[chosen.index],
    );
    return goIf(scene, "step", around[by < 0 ? 0 : 1]);
  }
  if (chosen?.kind !== "lane") return;
  const steps = weave.stepsOf.of(chosen.index);
  goIf(scene, "step", (by > 0 ? steps[0] : steps.at(-1)) ?? -1);
}

function zoomToChosen(scene: Scene): void {
  if (scene.chosen === null) return;
  const [from, to] = scene.times(scene.chosen);
  const room = Math.max((to - from) * 0.2, 200);
  scene.view.show(from - room, to + room);
}
