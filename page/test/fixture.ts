// Recordings made up for tests and for work on the page, in the format that the page reads.

import { SCHEMA } from "../src/data.ts";

type Schema = typeof SCHEMA;
type Text =
  | "name"
  | "coroutine"
  | "file"
  | "how"
  | "exception"
  | "what"
  | "kind"
  | "peer"
  | "function"
  | "text";

/** What a line of a table says: texts as texts, what is left out is 0. */
export type Line<Name extends keyof Schema> = {
  [Column in keyof Schema[Name]]?: Column extends Text ? string | number : number;
};

/** A recording in the making. */
export class Recording {
  process = 4242;
  wall = 1_790_000_000.123;
  ended = 0;
  lost = 0;
  format = 1;
  facts: Record<string, string> = { python: "3.13.0", groundup: "0.1.0", program: "app.py" };
  readonly strings: string[] = [""];
  readonly columns: Record<string, number[]> = {};
  private readonly known = new Map<string, number>([["", 0]]);

  constructor() {
    for (const [table, columns] of Object.entries(SCHEMA)) {
      for (const column of Object.keys(columns)) this.columns[`${table}.${column}`] = [];
    }
    this.add("chains", {});
  }

  /** The number of a text. */
  intern(text: string): number {
    let index = this.known.get(text);
    if (index === undefined) {
      index = this.strings.push(text) - 1;
      this.known.set(text, index);
    }
    return index;
  }

  /** Adds a line to a table, and gives its number. */
  add<Name extends keyof Schema>(table: Name, line: Line<Name>): number {
    let at = 0;
    for (const column of Object.keys(SCHEMA[table])) {
      const value = (line as Record<string, string | number | undefined>)[column] ?? 0;
      const values = this.columns[`${table}.${column}`];
      at = values.push(typeof value === "string" ? this.intern(value) : value) - 1;
    }
    return at;
  }

  /** Writes over one value. */
  set(column: string, at: number, value: number): void {
    this.columns[column][at] = value;
  }

  /** A chain of who awaits whom, outermost first. */
  chain(...names: string[]): number {
    let rest = 0;
    for (const name of names.reverse()) rest = this.add("chains", { name: this.intern(name), rest });
    return rest;
  }

  /** The bytes of it. */
  bytes(): Uint8Array<ArrayBuffer> {
    const places: Record<string, { type: string; offset: number; length: number }> = {};
    const parts: Uint8Array[] = [];
    let offset = 0;
    for (const [table, columns] of Object.entries(SCHEMA)) {
      for (const [column, type] of Object.entries(columns)) {
        const values = this.columns[`${table}.${column}`];
        const part = packed(type, values);
        places[`${table}.${column}`] = { type, offset, length: values.length };
        parts.push(part);
        offset += part.length;
      }
    }
    return joined(this.head(places), parts);
  }

  private head(columns: object): Uint8Array {
    const { format, process, wall, ended, lost, facts, strings } = this;
    return new TextEncoder().encode(
      JSON.stringify({ format, process, wall, ended, lost, facts, strings, columns }),
    );
  }
}

function packed(type: "u8" | "u32" | "i32" | "f64", values: number[]): Uint8Array {
  const Type = { u8: Uint8Array, u32: Uint32Array, i32: Int32Array, f64: Float64Array }[type];
  const bytes = new Uint8Array(Type.from(values).buffer);
  const whole = new Uint8Array(Math.ceil(bytes.length / 8) * 8);
  whole.set(bytes);
  return whole;
}

function joined(head: Uint8Array, parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const start = Math.ceil((4 + head.length) / 8) * 8;
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, start));
  new DataView(bytes.buffer).setUint32(0, head.length, true);
  bytes.set(head, 4);
  let at = start;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
