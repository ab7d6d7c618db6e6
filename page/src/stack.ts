// A Python stack as text, a line for each frame, as in "fetch (/home/ann/app.py:12)", the innermost last:
// which of its lines tells a reader most.

const FRAME = / \(.+:\d+\)$/;
const LIBRARY = /[\\/](lib[\\/]python\d|site-packages[\\/])|<frozen /;

/** The innermost place of the program itself in a stack, else of a library; empty for none. */
export function placeIn(stack: string): string {
  const frames = stack.split("\n").filter((line) => FRAME.test(line));
  return frames.filter((line) => !LIBRARY.test(line)).at(-1) ?? frames.at(-1) ?? "";
}
