// The connections: how long they were open, and what went through them.

import { count, size } from "../count.ts";
import type { Scene } from "../scene.ts";
import { duration, moment } from "../time.ts";
import type { Contents } from "./table.ts";

/** The table of the connections. */
export function connectionsTable(scene: Scene): Contents {
  const { weave } = scene;
  const { sockets, transfers } = weave.data;
  const bytes = [new Float64Array(sockets.length), new Float64Array(sockets.length)];
  const kernel = new Float64Array(sockets.length);
  for (let at = 0; at < transfers.length; at++) {
    bytes[transfers.came[at] ? 1 : 0][transfers.socket[at]] += transfers.bytes[at];
    kernel[transfers.socket[at]] += transfers.took[at];
  }
  const open = (socket: number) => {
    const [from, to] = scene.times({ kind: "socket", index: socket });
    return to - from;
  };
  const many = (socket: number) => weave.transfersOf.of(socket).length;
  return {
    title: "Connections.",
    about: "How long each was open, and the bytes that went through it.",
    none: "No connection was recorded.",
    sortedBy: 2,
    rows: Array.from(sockets.opened.keys()),
    columns: [
      { title: "Peer", text: (it) => weave.text(sockets.peer[it]) || "not known" },
      { title: "Kind", text: (it) => `${weave.text(sockets.kind[it])} ${sockets.descriptor[it]}` },
      { title: "Read", text: (it) => size(bytes[1][it]), value: (it) => bytes[1][it], isShare: true },
      { title: "Written", text: (it) => size(bytes[0][it]), value: (it) => bytes[0][it], isShare: true },
      { title: "Transfers", text: (it) => count(many(it)), value: many },
      { title: "In the kernel", text: (it) => duration(kernel[it]), value: (it) => kernel[it] },
      { title: "Open for", text: (it) => duration(open(it)), value: open },
      { title: "Opened", text: (it) => moment(sockets.opened[it]), value: (it) => sockets.opened[it] },
      {
        title: "Closed",
        text: (it) => (Number.isNaN(sockets.closed[it]) ? "not yet" : moment(sockets.closed[it])),
      },
    ],
    go: (index) => scene.go({ kind: "socket", index }),
  };
}
