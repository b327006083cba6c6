// The picture on a canvas: a plan, a place to look from, and the colours of the theme.

import type { Snapshot } from "../protocol";
import { BAR, CAPTION, HEAD, LANE, between, type Lanes, type Plan } from "./lanes";
import type { Rows } from "./state";
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
}

type Pen = CanvasRenderingContext2D;
type Colour = (name: string) => string;

const SMALL = "11px system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif";
const BOLD = "600 13.5px system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif";
const SIGN = "700 11.5px system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif";

/** What of several calls that share a pixel is seen. */
const WORST = ["replayed", "ran", "stopped", "waiting", "running", "in doubt", "error"];

export function x(look: Look, at: number): number {
  return look.gutter + at * look.zoom - look.pan;
}

export function paint(pen: Pen, plan: Plan, shown: Snapshot, rows: Rows, look: Look, colour: Colour): void {
  pen.clearRect(0, 0, look.width, plan.height);
  pen.textBaseline = "middle";
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

function text(pen: Pen, told: string, left: number, y: number, font: string, fill: string): void {
  pen.font = font;
  pen.fillStyle = fill;
  pen.fillText(told, left, y);
}

function fitted(pen: Pen, told: string, width: number, font: string): string {
  pen.font = font;
  if (pen.measureText(told).width <= width) return told;
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
    text(pen, SIGNS[cell.fate] ?? "", 1, y, SIGN, ink(cell.fate, colour));
    text(pen, fitted(pen, cell.name, (above ? look.width : look.gutter) - 24, BOLD), 17, y, BOLD, colour("--ink"));
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
    pen.font = SMALL;
    const half = pen.measureText(told).width / 2;
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
    pen.font = SMALL;
    if (pen.measureText(told).width <= right - left) text(pen, told, Math.max(left, look.gutter), row.y + 7, SMALL, colour("--soft"));
  }
}

function bars(pen: Pen, row: Lanes, rows: Rows, look: Look, colour: Colour): void {
  const left = (0 - look.gutter + look.pan) / look.zoom;
  const [from, to] = between(row, left, (look.width - look.gutter + look.pan) / look.zoom);
  const crowd: { x: number; right: number; worst: number }[] = [];
  const drawn = (lane: number): void => {
    const one = crowd[lane];
    if (!one) return;
    fillBar(pen, WORST[one.worst]!, one.x, row.y + CAPTION + lane * LANE, Math.max(1, one.right - one.x), colour);
    delete crowd[lane];
  };
  for (let n = from; n < to; n++) {
    const call = row.call[n]!;
    if (rows.depth[call]) continue;
    const lane = row.lane[n]!;
    const [a, b] = [x(look, row.left[n]!), x(look, row.right[n]!)];
    const fate = rows.fate[call]!;
    if (b - a >= 3 || call === look.chosen) {
      drawn(lane);
      oneBar(pen, rows, call, a, b, row.y + CAPTION + lane * LANE, look, colour);
      continue;
    }
    const open = crowd[lane];
    const worst = Math.max(0, WORST.indexOf(fate));
    if (open && a < open.x + 1.5) {
      open.worst = Math.max(open.worst, worst);
      open.right = Math.max(open.right, b);
    } else {
      drawn(lane);
      crowd[lane] = { x: a, right: b, worst };
    }
  }
  for (let lane = 0; lane < crowd.length; lane++) drawn(lane);
  strips(pen, row, rows, look, colour, from, to);
}

function oneBar(pen: Pen, rows: Rows, call: number, a: number, b: number, y: number, look: Look, colour: Colour): void {
  const fate = rows.fate[call]!;
  const width = Math.max(1.5, b - a - (b - a > 5 ? 1.5 : 0.4));
  fillBar(pen, fate, a, y, width, colour);
  if (call === look.chosen) {
    pen.strokeStyle = colour("--ink");
    pen.lineWidth = 2;
    round(pen, a - 1, y - 1, width + 2, BAR + 2, 5);
    pen.stroke();
  }
  const name = fate === "ran" ? rows.name[call]! : `${SIGNS[fate] ?? ""} ${rows.name[call]!}`;
  const on = onBar(fate, colour);
  const start = Math.max(a, look.gutter - 6);
  pen.font = SMALL;
  if (width > 30 && pen.measureText(name).width + 12 <= a + width - start) {
    text(pen, name, start + 6, y + BAR / 2 + 0.5, SMALL, on);
  } else if (fate !== "ran" && width >= 7) {
    pen.font = SIGN;
    const told = SIGNS[fate] ?? "";
    text(pen, told, a + width / 2 - pen.measureText(told).width / 2, y + BAR / 2 + 0.5, SIGN, on);
  }
}

function onBar(fate: string, colour: Colour): string {
  const light = ["ran", "error", "running"].includes(fate);
  return light ? colour(`--on-${fate}`) : ink(fate, colour);
}

function fillBar(pen: Pen, fate: string, left: number, y: number, width: number, colour: Colour): void {
  const filled: Record<string, string> = { replayed: "--replayed-fill", "in doubt": "--doubt-fill", stopped: "--group", waiting: "--paper" };
  pen.fillStyle = colour(filled[fate] ?? `--${fateClass(fate)}`);
  round(pen, left, y, width, BAR, Math.min(4, width / 2));
  pen.fill();
  if (!(fate in filled) || width < 3) {
    if (fate in filled) {
      pen.fillStyle = ink(fate, colour);
      pen.fillRect(left, y, Math.min(width, 1), BAR);
    }
    return;
  }
  pen.strokeStyle = ink(fate, colour);
  pen.lineWidth = 1.3;
  pen.setLineDash(fate === "in doubt" ? [3, 2] : []);
  round(pen, left + 0.6, y + 0.6, width - 1.2, BAR - 1.2, Math.min(3.5, width / 2));
  pen.stroke();
  pen.setLineDash([]);
}

/** Calls within a call: thin strips along the foot of its bar. */
function strips(pen: Pen, row: Lanes, rows: Rows, look: Look, colour: Colour, from: number, to: number): void {
  pen.fillStyle = colour("--paper");
  pen.globalAlpha = 0.6;
  for (let n = from; n < to; n++) {
    if (!rows.depth[row.call[n]!] || rows.fate[row.call[n]!] === "replayed") continue;
    const [a, b] = [x(look, row.left[n]!), x(look, row.right[n]!)];
    if (b - a >= 6) pen.fillRect(a + 2, row.y + CAPTION + row.lane[n]! * LANE + BAR - 5, b - a - 5, 3);
  }
  pen.globalAlpha = 1;
}

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
    pen.font = SIGN;
    const wide = pen.measureText(told).width;
    if (wide < width) text(pen, told, left + (width - wide) / 2, row.y + CAPTION + BAR / 2 + 0.5, SIGN, colour("--replayed"));
    pen.font = SMALL;
    const word = "replayed";
    const half = (width - pen.measureText(word).width) / 2;
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
    pen.font = SMALL;
    if (pen.measureText(name).width < right - left - 8) text(pen, name, Math.max(left, look.gutter), 21, SMALL, colour("--soft"));
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
    pen.font = `600 ${SMALL}`;
    const wide = pen.measureText(told).width;
    text(pen, SIGNS.stopped!, right - 5, 9, SIGN, colour("--error"));
    const place = right + 12 + wide > look.width ? right - 12 - wide : right + 12;
    if (place < free) return;
    text(pen, told, place, 9, `600 ${SMALL}`, colour("--error"));
    free = place + wide + 16;
  });
}

function starts(pen: Pen, plan: Plan, shown: Snapshot, look: Look, colour: Colour, bottom: number): void {
  let free = 0;
  for (const start of plan.starts) {
    const told = clock(shown.head.opened_us + start.at * 1_000, shown.head.zone_min);
    pen.font = SMALL;
    const wide = pen.measureText(told).width;
    const at = Math.min(x(look, start.x), look.width - wide);
    if (at < free || at < look.gutter - 6) continue;
    text(pen, told, at, bottom + 8, SMALL, colour("--soft"));
    free = at + wide + 8;
  }
}

function round(pen: Pen, left: number, top: number, width: number, height: number, radius: number): void {
  pen.beginPath();
  pen.roundRect(left, top, Math.max(0, width), Math.max(0, height), Math.max(0, radius));
}
