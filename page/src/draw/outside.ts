// What is not a lane: sockets with the bytes that came (up) and went (down), and what executors did.

import type { Scene } from "../scene.ts";
import { Track } from "../track.ts";
import type { Ink } from "./ink.ts";
import { BAR, INSET, ROW } from "./lane.ts";

const COLUMN = 3;

/** Draws a socket whose row begins at `y`: columns as high as the bytes are many, on a scale of powers. */
export function drawSocket(ink: Ink, scene: Scene, socket: number, y: number): void {
  const { view, curves } = scene;
  const [opened, closed] = scene.times({ kind: "socket", index: socket });
  const [left, right] = [
    Math.max(view.x(opened, ink.width), 0),
    Math.min(view.x(closed, ink.width), ink.width),
  ];
  ink.rect(left, y + ROW / 2 - 0.5, right - left, 1, ink.colours.line);
  const start = Math.floor(left / COLUMN) * COLUMN;
  for (let x = start; x <= right; x += COLUMN) {
    const [from, to] = [view.time(x, ink.width), view.time(x + COLUMN, ink.width)];
    const came = height(curves.bytesIn(socket, 1, from, to));
    const went = height(curves.bytesIn(socket, 0, from, to));
    if (came > 0) ink.rect(x, y + ROW / 2 - came, COLUMN - 0.5, came, ink.colours.came);
    if (went > 0) ink.rect(x, y + ROW / 2, COLUMN - 0.5, went, ink.colours.went);
  }
}

/** One byte can be seen, and a megabyte still fits. */
function height(bytes: number): number {
  return bytes > 0 ? Math.min(ROW / 2 - 2, 2 + (Math.log10(bytes) / 6) * (ROW / 2 - 4)) : 0;
}

/** The jobs of one function. */
export function drawJobs(ink: Ink, scene: Scene, text: number, y: number): void {
  jobTrack(scene, text).runs(scene.view, ink.width, ({ left, right, cover }) => {
    ink.faded(0.35 + 0.5 * cover, () =>
      ink.rect(left, y + INSET, Math.max(right - left, 1), BAR, ink.colours.job),
    );
  });
}

const tracks = new WeakMap<Scene, Map<number, Track>>();

/** The jobs of one function, as a track. */
export function jobTrack(scene: Scene, text: number): Track {
  const known = tracks.get(scene) ?? new Map<number, Track>();
  tracks.set(scene, known);
  let track = known.get(text);
  if (track === undefined) {
    const { jobs, ended } = scene.weave.data;
    const until = jobs.ended.map((time) => (Number.isNaN(time) ? ended : time));
    const inOrder = scene.lanes.jobsOf
      .of(text)
      .slice()
      .sort((a, b) => jobs.began[a] - jobs.began[b]);
    track = Track.of(inOrder, jobs.began, until);
    known.set(text, track);
  }
  return track;
}
