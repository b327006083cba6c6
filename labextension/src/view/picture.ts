// The picture as people use it: pointer, keyboard, zoom, and words for who doesn't see it.

import type { Snapshot } from "../protocol";
import { h } from "./dom";
import { BAR, CAPTION, LANE, at, plan, type Plan } from "./lanes";
import { Brush } from "./brush";
import { extend } from "./more";
import { paint, x, type Look } from "./paint";
import { FATES, fateOf, type Rows, type State } from "./state";
import { MEANS, SIGNS, duration, fateClass } from "./text";

const NARROW = 560;
/** The foot of a bar, where the calls within it are hit. */
const STRIP = 7;
const GUTTER = 136;
const EDGE = 12;
const ZOOM_MAX = 4_000;
const ZOOM_STEP = 1.5;
/** A picture that takes longer is made behind the words beside it, milliseconds. */
const QUICK_MS = 12;
/** It is made anew when nothing came for so many times as long as it took, and at the latest after so many. */
const QUIET = 4;
const LATEST = 50;

export class Picture {
  readonly element: HTMLElement;
  private readonly canvas: HTMLCanvasElement;
  private readonly tip = h("div", { class: "tip", role: "presentation" });
  private readonly legend = h("div", { class: "bar" });
  private readonly brush: Brush;
  private shown: Snapshot | null = null;
  private rows: Rows | null = null;
  private plan: Plan | null = null;
  private readonly look: Look = { zoom: 1, pan: 0, gutter: GUTTER, width: 0, chosen: -1, active: -1 };
  private asked = 0;
  /** When the picture was made last, and how long that took. */
  private made = { at: 0, ms: 0 };
  private later = 0;
  private dragged: { x: number; pan: number; moved: boolean } | null = null;

  constructor(
    private readonly choose: (call: number) => void,
    private readonly goes: (call: number) => void,
  ) {
    this.canvas = h("canvas", { tabindex: 0, role: "img", "aria-roledescription": "timeline", "data-key": "canvas" });
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.canvas.addEventListener("pointerdown", (event) => this.down(event));
    this.canvas.addEventListener("pointermove", (event) => this.move(event));
    this.canvas.addEventListener("pointerup", (event) => this.up(event));
    this.canvas.addEventListener("pointerleave", () => (this.tip.style.display = "none"));
    this.canvas.addEventListener("dblclick", (event) => this.jump(this.hit(event)));
    this.canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.brush = new Brush((from, to) => this.lookAt(from, to));
    this.element = h("div", {}, h("div", { class: "lanes" }, this.canvas, this.tip), this.brush.element, this.legend);
  }

  show(state: State, active = -1): void {
    const behind = active === this.look.active && this.made.ms > QUICK_MS && this.goesOn(state);
    this.look.active = active;
    this.shown = state.shown;
    this.rows = state.rows;
    this.tell();
    if (!behind || !this.plan || !this.shown) return this.anew();
    extend(this.plan, this.shown, this.rows);
    requestAnimationFrame(() => this.draw()); // a frame behind the words, which are read first
    const latest = this.made.at + LATEST * this.made.ms - performance.now();
    window.clearTimeout(this.later);
    this.later = window.setTimeout(() => this.anew(), Math.max(0, Math.min(QUIET * this.made.ms, latest)));
  }

  /** Whether what is drawn is true of a new state, but for calls that came or ended since. */
  private goesOn({ shown, rows }: State): boolean {
    const before = this.shown;
    if (!before || !shown || !this.plan || before.head.id !== shown.head.id) return false;
    const alike = (["cells", "attempts", "kernels"] as const).every((part) => before[part].length === shown[part].length);
    return alike && rows.id === this.rows?.id;
  }

  private anew(): void {
    window.clearTimeout(this.later);
    this.later = 0;
    this.plan = null;
    this.refresh();
  }

  /** The call that is chosen is outlined, and brought into sight. */
  mark(call: number): void {
    this.look.chosen = call;
    this.draw();
  }

  /** Draw anew, for a new width or new colours; the plan is made when it is needed. */
  refresh(): void {
    const width = this.element.clientWidth;
    if (width !== this.look.width) this.plan = null;
    this.look.width = width;
    this.look.gutter = width < NARROW ? 8 : GUTTER;
    this.draw();
  }

  private draw(): void {
    cancelAnimationFrame(this.asked);
    this.asked = requestAnimationFrame(() => this.now());
  }

  private now(): void {
    const { shown, rows, look } = this;
    if (!shown || !rows || look.width <= 0) return;
    const began = performance.now();
    const fresh = !this.plan;
    this.plan ??= plan(shown, rows, Math.max(60, look.width - look.gutter - EDGE), look.gutter < 40 ? 18 : 0);
    this.bound(this.plan);
    const scale = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(look.width * scale), Math.round(this.plan.height * scale)];
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
      this.canvas.style.height = `${this.plan.height}px`;
    }
    const pen = this.canvas.getContext("2d");
    if (!pen) return;
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    const style = getComputedStyle(this.element);
    const colours = new Map<string, string>();
    const colour = (name: string): string => {
      let known = colours.get(name);
      if (known === undefined) colours.set(name, (known = style.getPropertyValue(name).trim() || "#888"));
      return known;
    };
    paint(pen, this.plan, shown, rows, look, colour);
    this.brush.draw(this.plan, rows, look, colour, this.visible());
    this.canvas.dataset.drawn = String(this.plan.counted);
    if (!fresh) return;
    this.made = { at: performance.now(), ms: performance.now() - began };
  }

  /** How much of the line fits beside the names, pixels. */
  private visible(): number {
    return Math.max(1, this.look.width - this.look.gutter - EDGE);
  }

  /** Show a part of the line: from and to as shares of it. */
  private lookAt(from: number, to: number): void {
    if (!this.plan) return;
    this.look.zoom = Math.min(ZOOM_MAX, Math.max(1, this.visible() / Math.max(1e-6, (to - from) * this.plan.width)));
    this.pan(from * this.plan.width * this.look.zoom);
  }

  /** The picture in words, and what its signs mean. */
  private tell(): void {
    const { shown, rows } = this;
    if (!shown || !rows) return;
    const attempts = shown.attempts.slice(-40).map((a) => `${shown.cells[a.cell]!.name}, attempt ${a.number}: ${a.told}`);
    const stops = shown.kernels.map((kernel) => kernel.stopped).filter(Boolean);
    const active = shown.cells[this.look.active];
    const here = active ? [`You are in the cell ${active.name}`] : [];
    const keys = "Arrow keys go from call to call, Enter opens one, C goes to its cell, plus and minus zoom.";
    this.canvas.setAttribute("aria-label", [...attempts, ...stops, ...here, keys].join(". "));
    const seen = new Set(Array.from(new Set(rows.fate), (fate) => FATES[fate]!));
    if (shown.attempts.some((attempt) => attempt.replays_ms.length)) seen.add("replayed");
    const items = Object.keys(SIGNS).filter((fate) => seen.has(fate));
    const zoom = (told: string, label: string, factor: number): HTMLElement =>
      h("button", { click: () => this.zoom(factor, null), "aria-label": label, title: label }, told);
    const marks = items.map((fate) =>
      h("span", {}, h("i", { class: fateClass(fate), "aria-hidden": "true" }, fate === "ran" ? "" : SIGNS[fate]!), MEANS[fate]!),
    );
    if (stops.length) marks.push(h("span", {}, h("i", { class: "stopped", "aria-hidden": "true" }, SIGNS.stopped!), "kernel stopped"));
    this.legend.replaceChildren(
      ...marks,
      h("span", { class: "zoom" }, zoom("−", "zoom out", 1 / ZOOM_STEP), zoom("+", "zoom in", ZOOM_STEP), zoom("⤢", "show everything", 0)),
    );
  }

  /** Look closer; the place under the pointer stays where it is. 0 shows everything. */
  private zoom(factor: number, around: number | null): void {
    const { look } = this;
    const middle = around ?? look.width / 2;
    const old = look.zoom;
    look.zoom = factor ? Math.min(ZOOM_MAX, Math.max(1, old * factor)) : 1;
    const place = (middle - look.gutter + look.pan) / old;
    this.pan(place * look.zoom - (middle - look.gutter));
  }

  private pan(to: number): void {
    this.look.pan = Math.max(0, to);
    if (this.plan) this.bound(this.plan);
    this.draw();
  }

  /** Nothing is beyond the end of the line; how long that is, only a plan knows. */
  private bound({ width }: Plan): void {
    const most = Math.max(0, width * this.look.zoom - this.visible());
    this.look.pan = Math.min(most, this.look.pan);
  }

  private wheel(event: WheelEvent): void {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY / 300), event.offsetX);
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY) && this.look.zoom > 1) {
      event.preventDefault();
      this.pan(this.look.pan + event.deltaX);
    }
  }

  private key(event: KeyboardEvent): void {
    const calls = this.rows?.id.length ?? 0;
    const { chosen } = this.look;
    const steps: Record<string, () => void> = {
      ArrowRight: () => (event.shiftKey ? this.pan(this.look.pan + 80) : this.goto(Math.min(calls - 1, chosen + 1))),
      ArrowLeft: () => (event.shiftKey ? this.pan(this.look.pan - 80) : this.goto(Math.max(0, chosen - 1))),
      Home: () => this.goto(0),
      End: () => this.goto(calls - 1),
      "+": () => this.zoom(ZOOM_STEP, null),
      "=": () => this.zoom(ZOOM_STEP, null),
      "-": () => this.zoom(1 / ZOOM_STEP, null),
      "0": () => this.zoom(0, null),
      c: () => this.jump(chosen),
      Enter: () => chosen >= 0 && this.choose(chosen),
      Escape: () => this.choose(-1),
    };
    const step = steps[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    step();
  }

  private goto(call: number): void {
    const { rows, look } = this;
    if (!rows || call < 0) return;
    look.chosen = call;
    for (const row of this.plan?.rows ?? []) {
      const n = row.call.indexOf(call);
      if (n < 0) continue;
      const left = x(look, row.left[n]!);
      if (left < look.gutter || left > look.width - 20) this.pan(look.pan + left - look.width / 2);
    }
    this.canvas.setAttribute("aria-valuetext", this.about(call));
    this.say(this.about(call));
    this.draw();
  }

  private about(call: number): string {
    const rows = this.rows!;
    const took = rows.ms[call]! > 0 ? `, ${duration(rows.ms[call]!)}` : "";
    const again = rows.tries[call]! > 1 ? `, ${rows.tries[call]} attempts` : "";
    return `${rows.number[call]} ${rows.text[call]}: ${fateOf(rows, call)}${again}${took}`.trim();
  }

  /** Tell the call that the keys went to, in the tip that is read aloud. */
  private say(told: string): void {
    this.tip.setAttribute("role", "status");
    this.tip.textContent = told;
    Object.assign(this.tip.style, { display: "block", left: "8px", top: "-6px" });
  }

  /** Go to the cell of a call. */
  private jump(call: number): void {
    if (call >= 0) this.goes(call);
  }

  private hit(event: MouseEvent): number {
    const { plan: p, rows, look } = this;
    if (!p || !rows) return -1;
    const place = (event.offsetX - look.gutter + look.pan) / look.zoom;
    const row = p.rows.find((r) => event.offsetY >= r.y && event.offsetY <= r.y + r.height);
    if (!row) return -1;
    const lane = Math.floor((event.offsetY - row.y - CAPTION) / LANE);
    const depth = event.offsetY - row.y - CAPTION - lane * LANE;
    const n = depth <= BAR ? at(row, rows, place, lane, depth > BAR - STRIP) : -1;
    return n < 0 ? -1 : row.call[n]!;
  }

  private down(event: PointerEvent): void {
    this.dragged = { x: event.offsetX, pan: this.look.pan, moved: false };
    this.canvas.setPointerCapture(event.pointerId);
  }

  private move(event: PointerEvent): void {
    const { dragged } = this;
    if (dragged) {
      dragged.moved ||= Math.abs(event.offsetX - dragged.x) > 3;
      if (dragged.moved) this.pan(dragged.pan - (event.offsetX - dragged.x));
      return;
    }
    const call = this.hit(event);
    this.canvas.style.cursor = call < 0 ? "default" : "pointer";
    if (call < 0) {
      this.tip.style.display = "none";
      return;
    }
    this.tip.textContent = this.about(call);
    const left = Math.min(event.offsetX + 12, Math.max(0, this.look.width - 260));
    Object.assign(this.tip.style, { display: "block", left: `${left}px`, top: `${event.offsetY + 16}px` });
  }

  private up(event: PointerEvent): void {
    const moved = this.dragged?.moved;
    this.dragged = null;
    if (moved) return;
    const call = this.hit(event);
    if (call >= 0) this.choose(call);
  }
}
