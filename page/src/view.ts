// What part of the time is shown. It keeps within the recording, and says so when it changes.

const LEAST = 100;

/** A stretch of time, in nanoseconds since the recording began. */
export class View {
  from = 0;
  to: number;
  private readonly listeners: (() => void)[] = [];

  /** Shows all of a recording that ended at `end`. */
  constructor(readonly end: number) {
    this.to = end;
  }

  /** How long it is. */
  get span(): number {
    return this.to - this.from;
  }

  /** Calls `listener` after every change. */
  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** Shows `from..to`, or the nearest to it that lies within the recording. */
  show(from: number, to: number): void {
    const span = Math.min(Math.max(to - from, Math.min(LEAST, this.end)), this.end);
    const middle = (from + to) / 2;
    this.from = Math.min(Math.max(middle - span / 2, 0), this.end - span);
    this.to = this.from + span;
    for (const listener of this.listeners) listener();
  }

  /** Makes the stretch `factor` times as long; the time `at` keeps its place. */
  zoom(factor: number, at = (this.from + this.to) / 2): void {
    const span = Math.min(Math.max(this.span * factor, Math.min(LEAST, this.end)), this.end);
    const from = at - ((at - this.from) * span) / this.span;
    this.show(from, from + span);
  }

  /** Moves on by `time`. */
  pan(time: number): void {
    this.show(this.from + time, this.to + time);
  }

  /** Shows all. */
  fit(): void {
    this.show(0, this.end);
  }

  /** Moves as little as shows `from..to`, with room around it; zooms in only where it would be a speck. */
  reveal(from: number, to: number): void {
    const took = to - from;
    if (took > this.span * 0.8 || (took > 0 && took < this.span / 400)) {
      const room = Math.max(took * 1.5, Math.min(this.span / 20, took * 40), LEAST * 5);
      this.show(from - room, to + room);
    } else if (from < this.from || to > this.to) {
      this.pan((from + to) / 2 - (this.from + this.to) / 2);
    } else {
      this.pan(0);
    }
  }

  /** Where a time lies on `width` pixels. */
  x(time: number, width: number): number {
    return ((time - this.from) / this.span) * width;
  }

  /** The time at a place on `width` pixels. */
  time(x: number, width: number): number {
    return this.from + (x / width) * this.span;
  }
}
