// What `groundup view` does with the page: puts a recording into it.

import { deflateRawSync } from "node:zlib";

/** The place of the data; the page contains it once. */
export const MARKER = '<script type="application/octet-stream" id="weave"></script>';

/** The page with a recording in it. */
export function filledIn(page: string, bytes: Uint8Array): string {
  return page.replace(MARKER, () => MARKER.replace("><", `>${base64(bytes)}<`));
}

/** The text that stands for a recording. */
export function base64(bytes: Uint8Array): string {
  return deflateRawSync(bytes, { level: 1 }).toString("base64");
}
