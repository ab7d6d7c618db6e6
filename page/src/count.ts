// Numbers and sizes in words.

/** A whole number with its thousands apart: "1,048,576". */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** A number with its noun: "1 step", "12 steps"; `many` where an s does not do. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A number of bytes: "512 B", "1.5 kB", "20 MB"; powers of ten, as for files and networks. */
export function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let power = 0;
  while (bytes >= 999.5 && power < units.length - 1) {
    bytes /= 1000;
    power++;
  }
  return `${power === 0 || bytes >= 100 ? Math.round(bytes) : Number(bytes.toPrecision(3))} ${units[power]}`;
}
