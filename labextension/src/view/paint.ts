// The picture on a canvas: a plan, a place to look from, and the colours of the theme.

import type { Snapshot } from "../protocol";
import { BAR, CAPTION, HEAD, LANE, between, type Lanes, type Plan } from "./lanes";
import { FATES, fateOf, nameOf, type Rows } from "./state";
import { SIGNS, clock, duration, fateClass, thousands } from "./text";

/** From where the picture is looked at. */
export interface Look {
  /** How much wider than the canvas the line is. */
  zoom: number;
  /** What of it is left of the canvas, pixels. */
  pan: number;
  gutter: number;
  width: number;
  /** The call that is chosen, or -1. */
  chosen: number;
  /** The cell that somebody is in, or -1. */
  active: number;
}

type Pen = CanvasRenderingContext2D;
type Colour = (name: string) => string;

const SMALL = "11px system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif";
const BOLD = "600 13.5px system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif";
const SIGN = "700 11.5px system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif";

export function x(look: Look, at: number): number {
  return look.gutter + at * look.zoom - look.pan;
}

export function paint(pen: Pen, plan: Plan, shown: Snapshot, rows: Rows, look: Look, colour: Colour): void {
  pen.clearRect(0, 0, look.width, plan.height);
  pen.textBaseline = "middle";
  here(pen, plan, look, colour);
  const bottom = plan.height - 28;
  pen.save();
  pen.beginPath();
  pen.rect(look.gutter - 6, 0, look.width, plan.height);
  pen.clip();
  gaps(pen, plan, look, colour, bottom);
  for (const row of plan.rows) groups(pen, row, shown, look, colour);
  for (const row of plan.rows) bars(pen, row, rows, look, colour);
  for (const row of plan.rows) pills(pen, row, shown, look, colour);
  kernels(pen, plan, shown, look, colour, bottom);
  starts(pen, plan, shown, look, colour, bottom);
  pen.restore();
  names(pen, plan, shown, look, colour);
}

/** The row of the cell that somebody is in. */
function here(pen: Pen, plan: Plan, look: Look, colour: Colour): void {
  const row = plan.rows[look.active];
  if (!row) return;
  const top = (look.gutter < 40 ? row.y - 18 : row.y) - 5;
  const height = row.y + row.height - top + 4;
  pen.fillStyle = colour("--ran");
  pen.globalAlpha = 0.09;
  pen.fillRect(0, top, look.width, height);
  pen.globalAlpha = 1;
  pen.fillRect(0, top, 3, height);
}

function text(pen: Pen, told: string, left: number, y: number, font: string, fill: string): void {
  pen.font = font;
  pen.fillStyle = fill;
  pen.fillText(told, left, y);
}

function fitted(pen: Pen, told: string, width: number, font: string): string {
  if (wide(pen, told, font) <= width) return told;
  pen.font = font;
  let short = told.slice(0, 60);
  while (short && pen.measureText(`${short}…`).width > width) short = short.slice(0, -1);
  return short ? `${short}…` : "";
}

function names(pen: Pen, plan: Plan, shown: Snapshot, look: Look, colour: Colour): void {
  plan.rows.forEach((row, n) => {
    const cell = shown.cells[n]!;
    const above = look.gutter < 40;
    const y = above ? row.y - 8 : row.y + CAPTION + BAR / 2;
    pen.fillStyle = colour("--faint");
    pen.fillRect(0, (above ? row.y - 18 : row.y) - 5, look.width, 1);
    text(pen, SIGNS[cell.fate] ?? "", 5, y, SIGN, ink(cell.fate, colour));
    text(pen, fitted(pen, cell.name, (above ? look.width : look.gutter) - 28, BOLD), 21, y, BOLD, colour("--ink"));
  });
}

function ink(fate: string, colour: Colour): string {
  const named: Record<string, string> = { "in-doubt": "--doubt", waiting: "--doubt", stopped: "--error", running: "--ran" };
  const name = fateClass(fate);
  return colour(named[name] ?? `--${name}`);
}

function gaps(pen: Pen, plan: Plan, look: Look, colour: Colour, bottom: number): void {
  let free = 0;
  for (const gap of plan.gaps) {
    const [left, right] = [x(look, gap.left), x(look, gap.right)];
    if (right < 0 || left > look.width) continue;
    pen.fillStyle = colour("--faint");
    pen.globalAlpha = 0.45;
    pen.fillRect(left, HEAD - 6, right - left, bottom - HEAD + 6);
    pen.globalAlpha = 1;
    const told = duration(gap.end - gap.start);
    const half = wide(pen, told, SMALL) / 2;
    const middle = (left + right) / 2;
    if (middle - half > free) {
      text(pen, told, middle - half, bottom + 22, `italic ${SMALL}`, colour("--soft"));
      free = middle + half + 6;
    }
  }
}

function groups(pen: Pen, row: Lanes, shown: Snapshot, look: Look, colour: Colour): void {
  for (const group of row.groups) {
    const [left, right] = [x(look, group.left), x(look, group.right)];
    if (right < look.gutter - 10 || left > look.width) continue;
    pen.fillStyle = colour("--group");
    round(pen, left - 3, row.y + CAPTION - 3, right - left + 6, group.lanes * LANE + 3, 5);
    pen.fill();
    const told = shown.attempts[group.attempt]!.told;
    if (wide(pen, told, SMALL) <= right - left) text(pen, told, Math.max(left, look.gutter), row.y + 7, SMALL, colour("--soft"));
  }
}

/** Bars that are narrower are drawn without a frame, a sign or a round edge. */
const SHAPED = 5;
const NARROW = 3;

function bars(pen: Pen, row: Lanes, rows: Rows, look: Look, colour: Colour): void {
  const left = (0 - look.gutter + look.pan) / look.zoom;
  const [from, to] = between(row, left, (look.width - look.gutter + look.pan) / look.zoom);
  const crowd = new Crowd(FATES.length);
  for (let n = from; n < to; n++) {
    const call = row.call[n]!;
    if (rows.depth[call]) continue;
    const lane = row.lane[n]!;
    const [a, b] = [x(look, row.left[n]!), x(look, row.right[n]!)];
    if (b < 0) continue;
    const y = row.y + CAPTION + lane * LANE;
    if (b - a >= SHAPED || call === look.chosen) oneBar(pen, rows, call, a, b, y, look, colour);
    else crowd.add(lane, rows.fate[call]!, a, b - a >= NARROW ? b - 1 : Math.max(a + 1, b), y);
  }
  crowd.fill(pen, (fate) => solid(FATES[fate]!, colour));
  strips(pen, row, rows, look, colour, from, to);
}

/** Bars too narrow for a shape: those of one pixel are one, and each fate is filled at once. */
class Crowd {
  private readonly boxes: number[][];
  private readonly open: { fate: number; left: number; right: number; y: number }[] = [];

  constructor(fates: number) {
    this.boxes = Array.from({ length: fates }, () => []);
  }

  add(lane: number, fate: number, left: number, right: number, y: number): void {
    const one = this.open[lane];
    if (one && left < one.left + 1.5) {
      one.fate = Math.max(one.fate, fate);
      one.right = Math.max(one.right, right);
      return;
    }
    if (one) this.close(one);
    this.open[lane] = { fate, left, right, y };
  }

  fill(pen: Pen, colour: (fate: number) => string): void {
    this.open.forEach((one) => this.close(one));
    this.boxes.forEach((boxes, fate) => {
      if (!boxes.length) return;
      pen.fillStyle = colour(fate);
      for (let n = 0; n < boxes.length; n += 3) pen.fillRect(boxes[n]!, boxes[n + 2]!, boxes[n + 1]!, BAR);
    });
  }

  private close(one: { fate: number; left: number; right: number; y: number }): void {
    this.boxes[one.fate]!.push(one.left, one.right - one.left, one.y);
  }
}

/** The colour of a fate where there is no room for a frame. */
function solid(fate: string, colour: Colour): string {
  return fate in FILLED ? ink(fate, colour) : colour(`--${fateClass(fate)}`);
}

function oneBar(pen: Pen, rows: Rows, call: number, a: number, b: number, y: number, look: Look, colour: Colour): void {
  const fate = fateOf(rows, call);
  const width = Math.max(1.5, b - a - (b - a > 5 ? 1.5 : 0.4));
  fillBar(pen, fate, a, y, width, colour);
  if (call === look.chosen) {
    pen.strokeStyle = colour("--ink");
    pen.lineWidth = 2;
    round(pen, a - 1, y - 1, width + 2, BAR + 2, 5);
    pen.stroke();
  }
  if (width < 7) return;
  const again = rows.tries[call]! > 1 ? ` ×${rows.tries[call]}` : "";
  const name = (fate === "ran" ? nameOf(rows, call) : `${SIGNS[fate] ?? ""} ${nameOf(rows, call)}`) + again;
  const on = onBar(fate, colour);
  const start = Math.max(a, look.gutter - 6);
  if (width > 30 && wide(pen, name, SMALL) + 12 <= a + width - start) {
    text(pen, name, start + 6, y + BAR / 2 + 0.5, SMALL, on);
  } else if (fate !== "ran" || again) {
    const told = fate === "ran" ? again.trim() : (SIGNS[fate] ?? "");
    if (wide(pen, told, SIGN) <= width - 1) text(pen, told, a + width / 2 - wide(pen, told, SIGN) / 2, y + BAR / 2 + 0.5, SIGN, on);
  }
}

/** How wide a text is; asked of the browser once. */
const WIDE = new Map<string, number>();
const WIDE_MAX = 5_000;

function wide(pen: Pen, told: string, font: string): number {
  const key = `${font}|${told}`;
  let known = WIDE.get(key);
  if (known === undefined) {
    if (WIDE.size > WIDE_MAX) WIDE.clear();
    pen.font = font;
    WIDE.set(key, (known = pen.measureText(told).width));
  }
  return known;
}

function onBar(fate: string, colour: Colour): string {
  const light = ["ran", "error", "running"].includes(fate);
  return light ? colour(`--on-${fate}`) : ink(fate, colour);
}

const FILLED: Record<string, string> = { replayed: "--replayed-fill", "in doubt": "--doubt-fill", stopped: "--group", waiting: "--paper" };

function fillBar(pen: Pen, fate: string, left: number, y: number, width: number, colour: Colour): void {
  pen.fillStyle = width < NARROW ? solid(fate, colour) : colour(FILLED[fate] ?? `--${fateClass(fate)}`);
  if (width < SHAPED) return pen.fillRect(left, y, width, BAR);
  round(pen, left, y, width, BAR, Math.min(4, width / 2));
  pen.fill();
  if (!(fate in FILLED)) return;
  pen.strokeStyle = ink(fate, colour);
  pen.lineWidth = 1.3;
  pen.setLineDash(fate === "in doubt" ? [3, 2] : []);
  round(pen, left + 0.6, y + 0.6, width - 1.2, BAR - 1.2, Math.min(3.5, width / 2));
  pen.stroke();
  pen.setLineDash([]);
}

/** Calls within a call: thin strips along the foot of its bar, one above the other. */
function strips(pen: Pen, row: Lanes, rows: Rows, look: Look, colour: Colour, from: number, to: number): void {
  pen.fillStyle = colour("--paper");
  pen.globalAlpha = 0.62;
  for (let n = from; n < to; n++) {
    const call = row.call[n]!;
    if (!rows.depth[call] || FATES[rows.fate[call]!] === "replayed") continue;
    const [a, b] = [x(look, row.left[n]!), x(look, row.right[n]!)];
    const y = row.y + CAPTION + row.lane[n]! * LANE + BAR - 5 - row.strip[n]! * 4;
    if (b - a >= 6) pen.fillRect(a + 2, y, b - a - 5, 3);
  }
  pen.globalAlpha = 1;
}

/** The whole line as one strip: a thin row per lane, in each pixel what stands out most. */
export function overview(pen: Pen, plan: Plan, rows: Rows, look: Look, colour: Colour): void {
  const scale = look.width / Math.max(1, plan.width);
  const columns = Math.max(1, Math.ceil(look.width));
  const seen = new Uint8Array(columns * STRIP_LANES);
  const mark = (lane: number, left: number, right: number, fate: number): void => {
    const last = Math.min(columns - 1, Math.max(left * scale, right * scale - 1));
    const first = Math.min(lane, STRIP_LANES - 1) * columns;
    for (let at = Math.max(0, Math.floor(left * scale)); at <= last; at++) seen[first + at] = Math.max(seen[first + at]!, fate);
  };
  for (const row of plan.rows) {
    for (let n = 0; n < row.left.length; n++) mark(row.lane[n]!, row.left[n]!, row.right[n]!, rows.fate[row.call[n]!]! + 1);
    for (const pill of row.pills) mark(0, pill.left, pill.right, 1);
  }
  pen.clearRect(0, 0, look.width, STRIP_HEIGHT);
  FATES.forEach((fate, n) => {
    pen.fillStyle = solid(fate, colour);
    for (let place = 0; place < seen.length; place++) {
      if (seen[place] === n + 1) pen.fillRect(place % columns, 3 + Math.floor(place / columns) * 5, 1, 4);
    }
  });
}

const STRIP_LANES = 5;
export const STRIP_HEIGHT = 28;

function pills(pen: Pen, row: Lanes, shown: Snapshot, look: Look, colour: Colour): void {
  for (const pill of row.pills) {
    const left = x(look, pill.left) + 3;
    const width = Math.max(3, (pill.right - pill.left) * look.zoom - 6);
    if (left + width < 0 || left > look.width) continue;
    pen.fillStyle = colour("--replayed-fill");
    pen.strokeStyle = colour("--replayed");
    pen.lineWidth = 1.3;
    round(pen, left, row.y + CAPTION, width, BAR, BAR / 2);
    pen.fill();
    pen.stroke();
    const calls = shown.attempts[pill.attempt]!.calls;
    const told = calls ? `${SIGNS.replayed} ${thousands(calls)}` : SIGNS.replayed!;
    const needed = wide(pen, told, SIGN);
    if (needed < width) text(pen, told, left + (width - needed) / 2, row.y + CAPTION + BAR / 2 + 0.5, SIGN, colour("--replayed"));
    const word = "replayed";
    const half = (width - wide(pen, word, SMALL)) / 2;
    if (half > 0) text(pen, word, left + half, row.y + 7, SMALL, colour("--soft"));
  }
}

function kernels(pen: Pen, plan: Plan, shown: Snapshot, look: Look, colour: Colour, bottom: number): void {
  let free = 0;
  plan.kernels.forEach((kernel, n) => {
    const about = shown.kernels[n]!;
    const [left, right] = [x(look, kernel.left), x(look, kernel.right)];
    pen.fillStyle = colour(about.alive ? "--replayed" : "--soft");
    pen.fillRect(left, 30, Math.max(2, right - left), 3);
    const name = `kernel ${about.number}`;
    if (wide(pen, name, SMALL) < right - left - 8) text(pen, name, Math.max(left, look.gutter), 21, SMALL, colour("--soft"));
    if (!about.stopped) return;
    pen.strokeStyle = colour("--error");
    pen.lineWidth = 1.5;
    pen.setLineDash([4, 3]);
    pen.beginPath();
    pen.moveTo(right, 18);
    pen.lineTo(right, bottom);
    pen.stroke();
    pen.setLineDash([]);
    const at = shown.head.opened_us + about.end_ms * 1_000;
    const told = `kernel stopped ${clock(at, shown.head.zone_min, false)}`;
    const needed = wide(pen, told, `600 ${SMALL}`);
    text(pen, SIGNS.stopped!, right - 5, 9, SIGN, colour("--error"));
    const place = right + 12 + needed > look.width ? right - 12 - needed : right + 12;
    if (place < free) return;
    text(pen, told, place, 9, `600 ${SMALL}`, colour("--error"));
    free = place + needed + 16;
  });
}

function starts(pen: Pen, plan: Plan, shown: Snapshot, look: Look, colour: Colour, bottom: number): void {
  let free = 0;
  for (const start of plan.starts) {
    const told = clock(shown.head.opened_us + start.at * 1_000, shown.head.zone_min);
    const needed = wide(pen, told, SMALL);
    const at = Math.min(x(look, start.x), look.width - needed);
    if (at < free || at < look.gutter - 6) continue;
    text(pen, told, at, bottom + 8, SMALL, colour("--soft"));
    free = at + needed + 8;
  }
}

function round(pen: Pen, left: number, top: number, width: number, height: number, radius: number): void {
  pen.beginPath();
  pen.roundRect(left, top, Math.max(0, width), Math.max(0, height), Math.max(0, radius));
}
