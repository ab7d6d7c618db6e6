// The recording's data: from the text in the page to typed columns. It promises that every index in them
// stands for something, so that nobody after it needs to ask. It knows nothing of what the columns mean.

/** The newest format that this page reads. */
export const FORMAT = 1;

/** The tables, their columns, and the columns' types. */
export const SCHEMA = {
  lanes: {
    kind: "u8",
    name: "u32",
    coroutine: "u32",
    file: "u32",
    line: "u32",
    parent: "i32",
    began: "f64",
    ended: "f64",
    how: "u32",
    exception: "u32",
  },
  steps: { lane: "u32", began: "f64", took: "f64", woken: "f64", causeKind: "u8", cause: "u32" },
  waits: { lane: "u32", began: "f64", ended: "f64", over: "u8", what: "u32", chain: "u32" },
  chains: { name: "u32", rest: "u32" },
  polls: { began: "f64", ended: "f64", events: "u32", ready: "u32" },
  sockets: { descriptor: "u32", kind: "u32", peer: "u32", opened: "f64", closed: "f64" },
  transfers: { socket: "u32", time: "f64", came: "u8", bytes: "u32", took: "u32" },
  collections: { began: "f64", ended: "f64", generation: "u8", taken: "u32" },
  jobs: { function: "u32", began: "f64", ended: "f64" },
  marks: { time: "f64", text: "u32" },
  stacks: { step: "u32", text: "u32" },
  cancels: { lane: "u32", time: "f64", step: "i32" },
  usage: { time: "f64", kernel: "f64", elsewhere: "f64" },
} as const;

type Schema = typeof SCHEMA;
type Arrays = { u8: Uint8Array; u32: Uint32Array; i32: Int32Array; f64: Float64Array };
type Type = keyof Arrays;

/** A table: a typed array for each column, all of one length. */
export type Table<Name extends keyof Schema> = {
  readonly [Column in keyof Schema[Name]]: Arrays[Schema[Name][Column] & Type];
} & { readonly length: number };

/** All that a recording tells. */
export type Data = { readonly [Name in keyof Schema]: Table<Name> } & {
  readonly process: number;
  readonly wall: number;
  readonly ended: number;
  readonly lost: number;
  readonly facts: Readonly<Record<string, string>>;
  readonly strings: readonly string[];
};

/** Why there is nothing to show, in words for who opened the page. */
export class Unreadable extends Error {}

interface Head {
  format: number;
  process: number;
  wall: number;
  ended: number;
  lost: number;
  facts: Record<string, string>;
  strings: string[];
  columns: Record<string, { type: string; offset: number; length: number }>;
}

/** Reads base64 of deflated bytes. */
export async function readText(text: string): Promise<Data> {
  const base64 = text.trim();
  if (base64 === "") {
    throw new Unreadable("This page holds no recording. “groundup view run.weave” makes one that does.");
  }
  return readBytes(await inflated(unpacked(base64)));
}

/** Reads the bytes: a head in JSON, and the columns after it. */
export function readBytes(bytes: Uint8Array<ArrayBuffer>): Data {
  const { head, start } = readHead(bytes);
  const tables: Record<string, unknown> = {};
  for (const [name, columns] of Object.entries(SCHEMA)) {
    tables[name] = readTable(name, columns, head, bytes, start);
  }
  const { process, wall, ended, lost, facts, strings } = head;
  const data = { ...tables, process, wall, ended, lost, facts, strings } as unknown as Data;
  closeOpen(data);
  verifyIndexes(data);
  verifyOrder(data);
  return data;
}

/** What had not ended when the recording did ends with it. */
function closeOpen({ steps, waits, polls, collections, ended }: Data): void {
  for (const { ended: column } of [waits, polls, collections]) {
    for (let at = 0; at < column.length; at++) if (Number.isNaN(column[at])) column[at] = ended;
  }
  for (let at = 0; at < steps.length; at++) {
    if (Number.isNaN(steps.took[at])) steps.took[at] = Math.max(0, ended - steps.began[at]);
  }
}

function unpacked(base64: string): Uint8Array<ArrayBuffer> {
  try {
    const binary = atob(base64);
    const bytes = new Uint8Array(binary.length);
    for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
    return bytes;
  } catch {
    throw damaged("it is not in base64");
  }
}

async function inflated(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch {
    throw damaged("it cannot be decompressed");
  }
}

function readHead(bytes: Uint8Array<ArrayBuffer>): { head: Head; start: number } {
  if (bytes.length < 4) throw damaged("it is cut short");
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (4 + length > bytes.length) throw damaged("its head is cut short");
  let head: Head;
  try {
    head = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(4, 4 + length)));
  } catch {
    throw damaged("its head cannot be read");
  }
  verifyHead(head);
  return { head, start: Math.ceil((4 + length) / 8) * 8 };
}

function verifyHead(head: Head): void {
  if (typeof head?.format !== "number") throw damaged("its head names no format");
  if (head.format > FORMAT) {
    const message = `This recording is of format ${head.format}, and this page reads format ${FORMAT}: `;
    throw new Unreadable(`${message}show it with the groundup that recorded it, or a newer one.`);
  }
  const numbers = [head.process, head.wall, head.ended, head.lost];
  if (!numbers.every(Number.isFinite)) throw damaged("its head lacks a number");
  const isText = (it: unknown) => typeof it === "string";
  if (!Array.isArray(head.strings) || !head.strings.every(isText))
    throw damaged("its head lacks the strings");
  if (typeof head.columns !== "object" || head.columns === null) throw damaged("its head lacks the columns");
  head.facts = Object.fromEntries(
    Object.entries(head.facts ?? {}).map(([name, fact]) => [name, String(fact)]),
  );
  // Text number 0 stands for what is not known, also where nothing was.
  if (head.strings.length === 0) head.strings = [""];
}

function readTable(
  name: string,
  columns: Record<string, Type>,
  head: Head,
  bytes: Uint8Array<ArrayBuffer>,
  start: number,
): Record<string, unknown> {
  const table: Record<string, unknown> = {};
  let common = -1;
  for (const [column, type] of Object.entries(columns)) {
    const full = `${name}.${column}`;
    const found = head.columns[full];
    if (found?.type !== type) throw damaged(`the column ${full} is missing or of another type`);
    if (common >= 0 && found.length !== common) throw damaged(`the columns of ${name} differ in length`);
    common = found.length;
    table[column] = readColumn(full, type, found.offset, found.length, bytes, start);
  }
  table.length = common;
  return table;
}

function readColumn(
  name: string,
  type: Type,
  offset: number,
  length: number,
  bytes: Uint8Array<ArrayBuffer>,
  start: number,
): Arrays[Type] {
  const size = { u8: 1, u32: 4, i32: 4, f64: 8 }[type];
  const isWhole = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  if (!isWhole || offset % 8 !== 0 || start + offset + length * size > bytes.length) {
    throw damaged(`the column ${name} reaches beyond its end`);
  }
  const at = bytes.byteOffset + start + offset;
  if (type === "u8") return new Uint8Array(bytes.buffer, at, length);
  if (type === "u32") return new Uint32Array(bytes.buffer, at, length);
  if (type === "i32") return new Int32Array(bytes.buffer, at, length);
  return new Float64Array(bytes.buffer, at, length);
}

function verifyIndexes(data: Data): void {
  const { lanes, steps, waits, chains, sockets, transfers, jobs, marks, stacks, cancels } = data;
  const texts = [
    lanes.name,
    lanes.coroutine,
    lanes.file,
    lanes.how,
    lanes.exception,
    waits.what,
    chains.name,
  ];
  texts.push(sockets.kind, sockets.peer, jobs.function, marks.text, stacks.text);
  for (const column of texts) verifyBelow(column, data.strings.length, "text");
  for (const column of [lanes.parent, steps.lane, waits.lane, cancels.lane])
    verifyBelow(column, lanes.length, "lane");
  // Chain number 0 is the end, and need not be there.
  for (const column of [waits.chain, chains.rest]) verifyBelow(column, Math.max(chains.length, 1), "chain");
  verifyBelow(transfers.socket, sockets.length, "socket");
  verifyBelow(stacks.step, steps.length, "step");
  verifyBelow(cancels.step, steps.length, "step");
  for (let step = 0; step < steps.length; step++) {
    if (steps.causeKind[step] === 1 && steps.cause[step] >= steps.length) throw damaged("a step is missing");
  }
}

function verifyBelow(column: Uint32Array | Int32Array, limit: number, what: string): void {
  for (let at = 0; at < column.length; at++) {
    if (column[at] >= limit) throw damaged(`a ${what} is missing`);
  }
}

/** What is looked up by halving must be in order. */
function verifyOrder({ steps, waits, polls }: Data): void {
  for (const began of [steps.began, waits.began, polls.began]) {
    for (let at = 0; at < began.length; at++) {
      // Also false for what is no number.
      if (!(began[at] >= (at > 0 ? began[at - 1] : -Infinity))) throw damaged("its times are out of order");
    }
  }
}

function damaged(how: string): Unreadable {
  return new Unreadable(`This recording is damaged: ${how}.`);
}
