// The colours of the picture, as the style sheet has them for the theme in use.

const NAMES = [
  "paper",
  "sheet",
  "ink",
  "muted",
  "faint",
  "line",
  "accent",
  "task",
  "function",
  "descriptor",
  "job",
  "long",
  "blocking",
  "blocking-band",
  "on-bar",
  "on-long",
  "ready",
  "sleep",
  "wait-time",
  "wait-kernel",
  "wait-shared",
  "wait-task",
  "came",
  "went",
  "collection",
  "mark",
  "chosen",
  "row",
  "row-chosen",
  "row-found",
  "arrow",
  "raised",
] as const;

export type Palette = Record<(typeof NAMES)[number], string>;

/** The colours now in force. */
export function palette(): Palette {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(
    NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]),
  ) as Palette;
}
