// A canvas that is as sharp as the screen, measured in the page's pixels.

import type { Palette } from "../palette.ts";

export const FONT = "11px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif";

/** A canvas to draw on. */
export class Ink {
  width = 0;
  height = 0;
  readonly context: CanvasRenderingContext2D;
  private readonly widths = new Map<string, number>();

  constructor(
    readonly canvas: HTMLCanvasElement,
    public colours: Palette,
  ) {
    const context = canvas.getContext("2d", { alpha: false });
    if (context === null) throw new Error("this browser has no canvas");
    this.context = context;
  }

  /** Takes the size that the page gives it, and begins with an empty sheet. */
  begin(): void {
    const ratio = window.devicePixelRatio || 1;
    [this.width, this.height] = [this.canvas.clientWidth, this.canvas.clientHeight];
    const [width, height] = [Math.round(this.width * ratio), Math.round(this.height * ratio)];
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.context.font = FONT;
    this.context.textBaseline = "middle";
    this.rect(0, 0, this.width, this.height, this.colours.sheet);
  }

  /** A filled rectangle; what lies outside the canvas is cut off, for huge numbers draw badly. */
  rect(x: number, y: number, width: number, height: number, colour: string): void {
    const left = Math.max(x, -4);
    const right = Math.min(x + width, this.width + 4);
    if (right <= left) return;
    this.context.fillStyle = colour;
    this.context.fillRect(left, y, right - left, height);
  }

  /** The outline of a rectangle. */
  frame(x: number, y: number, width: number, height: number, colour: string): void {
    const left = Math.max(x, -4);
    const right = Math.min(x + width, this.width + 4);
    this.context.strokeStyle = colour;
    this.context.lineWidth = 2;
    this.context.strokeRect(left, y, Math.max(right - left, 1), height);
  }

  /** A line of text whose middle is at `y`. */
  text(text: string, x: number, y: number, colour: string): void {
    this.context.fillStyle = colour;
    this.context.fillText(text, x, y);
  }

  /** How wide a text is. */
  measure(text: string): number {
    let width = this.widths.get(text);
    if (width === undefined) {
      if (this.widths.size > 5000) this.widths.clear();
      width = this.context.measureText(text).width;
      this.widths.set(text, width);
    }
    return width;
  }

  /** Draws something that lets through what is below. */
  faded(alpha: number, draw: () => void): void {
    this.context.globalAlpha = alpha;
    draw();
    this.context.globalAlpha = 1;
  }
}
