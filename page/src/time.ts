// Time in words: durations, moments, and where the axis has its ticks. All times are nanoseconds.

const UNITS: readonly (readonly [number, string])[] = [
  [1e9, "s"],
  [1e6, "ms"],
  [1e3, "µs"],
  [1, "ns"],
];

/** A duration with three digits that tell: "812 ms", "1.25 µs", "2 min 05 s". */
export function duration(time: number): string {
  if (Number.isNaN(time)) return "–";
  if (time < 0) return `−${duration(-time)}`;
  if (time >= 60e9) return minutes(Math.round(time / 1e9));
  // 999.6 µs are better called 1 ms.
  const [size, unit] = UNITS.find(([size]) => time >= size * 0.9995) ?? [1, "ns"];
  const value = time / size;
  return `${unit === "ns" ? Math.round(value) : trimmed(value.toPrecision(3))} ${unit}`;
}

/** A moment since the beginning, to the nanosecond: "1.234 567 890 s". */
export function moment(time: number): string {
  if (Number.isNaN(time)) return "not known";
  const [whole, rest] = (Math.round(time) / 1e9).toFixed(9).split(".");
  return `${whole}.${rest.replace(/(\d{3})(?=\d)/g, "$1\u202f")} s`;
}

/** The time of day of a moment, where the recording began at `wall` seconds since 1970. */
export function clock(time: number, wall: number): string {
  const date = new Date(wall * 1000 + time / 1e6);
  if (Number.isNaN(date.getTime())) return "not known";
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const hour = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${day} ${hour}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** The ticks of an axis: round times in `from..to`, at least `gap` apart, each with its label. */
export function ticks(from: number, to: number, gap: number): { time: number; label: string }[] {
  const step = roundUp(gap);
  const found = [];
  for (let count = Math.ceil(from / step); count * step <= to; count++) {
    found.push({ time: count * step, label: tickLabel(count * step, step) });
  }
  return found;
}

/** The least of 1, 2, 5, 10, 20, … that is not less than `time`. */
export function roundUp(time: number): number {
  const power = 10 ** Math.floor(Math.log10(time));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= time * (1 - 1e-9)) ?? 10;
  return Math.max(step * power, 1);
}

/** As many digits as tell neighbours apart. */
function tickLabel(time: number, step: number): string {
  const [size, unit] = UNITS.find(([size]) => Math.max(time, step) >= size) ?? [1, "ns"];
  const digits = Math.max(0, Math.ceil(Math.log10(size / step) - 1e-9));
  return `${time === 0 ? "0" : (time / size).toFixed(digits)} ${unit}`;
}

function minutes(seconds: number): string {
  const [hour, minute, second] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (value: number) => String(value).padStart(2, "0");
  return hour > 0 ? `${hour} h ${two(minute)} min` : `${minute} min ${two(second)} s`;
}

function trimmed(number: string): string {
  return number.includes(".") ? number.replace(/\.?0+$/, "") : String(Number(number));
}
