// The overview strip under the lanes: all of the run, and a window on the part that is seen.

import { h } from "./dom";
import type { Plan } from "./lanes";
import { STRIP_HEIGHT, overview, type Look } from "./paint";
import type { Rows } from "./state";

/** How near to an edge of the window a pointer takes hold of it, pixels. */
const GRIP = 7;
/** A narrower part is a click: the window comes there as it is. */
const CLICK = 4;
const STEP = 0.1;
/** With fewer calls everything can be seen at once: the strip comes when somebody looks closer. */
const CALLS_MIN = 200;

type Held = { how: "move" | "left" | "right" | "new"; at: number; from: number; to: number };

export class Brush {
  readonly element: HTMLElement;
  private readonly canvas = h("canvas", { "aria-hidden": "true" });
  private readonly frame: HTMLElement;
  private from = 0;
  private to = 1;
  private drawn: unknown[] = [];
  private held: Held | null = null;

  constructor(private readonly look: (from: number, to: number) => void) {
    this.frame = h("div", { class: "window", tabindex: 0, role: "slider", "aria-label": "part of the run that the lanes show", "data-key": "brush" });
    this.element = h("div", { class: "brush" }, this.canvas, this.frame);
    this.element.addEventListener("pointerdown", (event) => this.down(event));
    this.element.addEventListener("pointermove", (event) => this.move(event));
    this.element.addEventListener("pointerup", () => (this.held = null));
    this.element.addEventListener("pointercancel", () => (this.held = null));
    this.element.addEventListener("dblclick", () => this.look(0, 1));
    this.frame.addEventListener("keydown", (event) => this.key(event));
  }

  draw(plan: Plan, rows: Rows, look: Look, colour: (name: string) => string, visible: number): void {
    const all = plan.width * look.zoom;
    this.from = Math.min(1, look.pan / all);
    this.to = Math.min(1, (look.pan + visible) / all);
    const whole = this.to - this.from > 0.999;
    this.element.hidden = whole && rows.id.length < CALLS_MIN;
    this.frame.classList.toggle("whole", whole);
    const told = `${Math.round(this.from * 100)} to ${Math.round(this.to * 100)} percent`;
    const { style } = this.frame;
    style.left = `${this.from * 100}%`;
    style.width = `${(this.to - this.from) * 100}%`;
    this.frame.setAttribute("aria-valuetext", whole ? "everything" : told);
    this.frame.setAttribute("aria-valuenow", String(Math.round(this.from * 100)));
    const what = [plan, rows, look.width, colour("--ink"), colour("--replayed")];
    if (what.every((part, n) => part === this.drawn[n])) return;
    this.drawn = what;
    const scale = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(look.width * scale);
    this.canvas.height = Math.round(STRIP_HEIGHT * scale);
    const pen = this.canvas.getContext("2d");
    if (!pen) return;
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    overview(pen, plan, rows, look, colour);
  }

  private share(event: PointerEvent): number {
    const box = this.element.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / Math.max(1, box.width)));
  }

  private down(event: PointerEvent): void {
    const at = this.share(event);
    const grip = GRIP / Math.max(1, this.element.clientWidth);
    const whole = this.to - this.from > 0.999;
    const near = (edge: number): boolean => Math.abs(at - edge) <= grip;
    const inside = at > this.from && at < this.to && !whole;
    const how = near(this.from) ? "left" : near(this.to) ? "right" : inside ? "move" : "new";
    this.held = { how, at, from: this.from, to: this.to };
    this.element.setPointerCapture(event.pointerId);
    if (how === "new" && !whole) this.show(at - (this.to - this.from) / 2, at + (this.to - this.from) / 2);
  }

  private move(event: PointerEvent): void {
    const { held } = this;
    if (!held) return;
    const at = this.share(event);
    if (held.how === "move") this.show(held.from + at - held.at, held.to + at - held.at);
    else if (held.how === "left") this.show(Math.min(at, held.to - 0.0005), held.to);
    else if (held.how === "right") this.show(held.from, Math.max(at, held.from + 0.0005));
    else if (Math.abs(at - held.at) * this.element.clientWidth > CLICK) this.show(Math.min(at, held.at), Math.max(at, held.at));
  }

  /** The window at another place; it stays as wide as it is. */
  private show(from: number, to: number): void {
    const wide = to - from;
    const left = Math.min(1 - wide, Math.max(0, from));
    this.look(Math.max(0, left), Math.min(1, left + wide));
  }

  private key(event: KeyboardEvent): void {
    const wide = this.to - this.from;
    const middle = (this.from + this.to) / 2;
    const around = (half: number): void => this.show(middle - half, middle + half);
    const steps: Record<string, () => void> = {
      ArrowLeft: () => this.show(this.from - wide * STEP, this.to - wide * STEP),
      ArrowRight: () => this.show(this.from + wide * STEP, this.to + wide * STEP),
      PageUp: () => this.show(this.from - wide, this.to - wide),
      PageDown: () => this.show(this.from + wide, this.to + wide),
      Home: () => this.show(0, wide),
      End: () => this.show(1 - wide, 1),
      "+": () => around(wide / 3),
      "=": () => around(wide / 3),
      "-": () => around(Math.min(0.5, wide * 0.75)),
      "0": () => this.look(0, 1),
    };
    const step = steps[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    step();
  }
}
