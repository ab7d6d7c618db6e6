// A Python stack as text: which of its lines tells a reader most.

const FRAME = /File "([^"]+)", line (\d+), in (.+)/;
const LIBRARY = /[\\/](lib[\\/]python\d|site-packages[\\/])|<frozen /;

/** The innermost place of the program itself in a stack whose last line is the innermost; empty for none. */
export function placeIn(stack: string): string {
  const lines = stack.split("\n").filter((line) => /\.py\b|<frozen/.test(line));
  const own = lines.filter((line) => !LIBRARY.test(line));
  const line = own.at(-1) ?? lines.at(-1) ?? stack.split("\n")[0];
  const frame = FRAME.exec(line);
  return frame ? `${frame[3]} (${frame[1]}:${frame[2]})` : line.trim();
}
