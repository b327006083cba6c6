// From calls to bars in lanes: where everything stands in the picture. Pure.
//
// A row per cell; its attempts stand behind each other on one axis of time, calls that ran
// side by side in lanes under each other. Calls within a call are strips in its bar.
// Replayed calls took no time: they stand in a band before the call that ran next.

import type { Snapshot } from "../protocol";
import { Axis, lowerBound, type Gap, type Instant, type Span } from "./axis";
import type { Rows } from "./state";

export const LANE = 22;
export const BAR = 18;
const LANES_MAX = 16;
const SERVED = 11;
const PILL = 58;
/** Room for a call of which only the begin is known: its sign can be read. */
const CUT = 22;
const CUT_OFF = new Set(["in doubt", "stopped"]);

/** The bars of a cell, as columns sorted by their left edge. */
export interface Lanes {
  y: number;
  height: number;
  lanes: number;
  left: Float64Array;
  right: Float64Array;
  lane: Uint8Array;
  /** The widest bar: how far to look back from a place. */
  widest: number;
  /** The call of each bar; -1 for a replay of the whole cell. */
  call: Int32Array;
  groups: Group[];
  pills: Group[];
}

/** An attempt on the axis. */
export interface Group {
  attempt: number;
  left: number;
  right: number;
  lanes: number;
}

export interface Kernel {
  left: number;
  right: number;
}

export interface Plan {
  rows: Lanes[];
  gaps: (Gap & { left: number; right: number })[];
  kernels: Kernel[];
  starts: { x: number; at: number }[];
  height: number;
  width: number;
}

export const HEAD = 46;
export const CAPTION = 17;
const ROW_GAP = 14;
const FOOT = 34;
const WAIT_MS_MIN = 1_000;

export function plan(shown: Snapshot, rows: Rows, width: number, named: number): Plan {
  const mine = byAttempt(shown, rows);
  const instants: Instant[] = [];
  const spans: Span[] = [];
  shown.attempts.forEach((attempt, a) => {
    spans.push({ start: attempt.start_ms, end: Math.max(attempt.end_ms, attempt.start_ms + 0.001), quiet: true });
    const cut = mine[a]!.filter((n) => CUT_OFF.has(rows.fate[n]!)).map((n) => end(rows, n));
    for (const at of new Set(cut)) instants.push({ at, width: CUT });
    for (const at of attempt.replays_ms) instants.push({ at, width: PILL });
    for (const n of mine[a]!) {
      if (rows.fate[n] !== "replayed") spans.push({ start: rows.start[n]!, end: end(rows, n), quiet: false });
    }
    for (const band of bands(rows, mine[a]!, attempt.start_ms)) {
      instants.push({ at: band.at, width: SERVED * band.calls.length + 4 });
    }
  });
  const axis = new Axis(spans, instants, width);
  const lanes: Lanes[] = [];
  let y = HEAD;
  shown.cells.forEach((_, cell) => {
    const row = rowOf(shown, rows, mine, axis, cell, y + named);
    lanes.push(row);
    y += named + row.height + ROW_GAP;
  });
  const gaps = axis.gaps
    .filter((gap) => gap.end - gap.start >= WAIT_MS_MIN)
    .map((gap) => ({ ...gap, left: axis.after(gap.start), right: axis.before(gap.end) }));
  const first = shown.attempts[0]?.start_ms ?? 0;
  return {
    rows: lanes,
    gaps,
    kernels: shown.kernels.map((kernel) => ({
      left: axis.before(kernel.start_ms),
      right: axis.after(kernel.end_ms),
    })),
    starts: [first, ...gaps.map((gap) => gap.end)].map((at) => ({ at, x: axis.before(at) })),
    height: y - ROW_GAP + FOOT,
    width,
  };
}

function end(rows: Rows, n: number): number {
  return rows.start[n]! + Math.max(0.001, rows.ms[n]!);
}

/** The calls of each attempt, in order. */
function byAttempt(shown: Snapshot, rows: Rows): number[][] {
  const places = new Map(shown.attempts.map((attempt, a) => [attempt.id, a]));
  const mine: number[][] = shown.attempts.map(() => []);
  for (let n = 0; n < rows.id.length; n++) {
    const a = places.get(rows.attempt[n]!);
    if (a !== undefined) mine[a]!.push(n);
  }
  return mine;
}

interface Band {
  at: number;
  calls: number[];
}

/** Replayed calls, gathered before the call that ran next. */
function bands(rows: Rows, calls: number[], start: number): Band[] {
  const found: Band[] = [];
  let open: number[] = [];
  let last = start;
  for (const n of calls) {
    if (rows.depth[n]) continue;
    if (rows.fate[n] === "replayed") {
      open.push(n);
    } else {
      if (open.length) found.push({ at: rows.start[n]!, calls: open });
      open = [];
      last = Math.max(last, end(rows, n));
    }
  }
  if (open.length) found.push({ at: last, calls: open });
  return found;
}

interface Bar {
  left: number;
  right: number;
  lane: number;
  call: number;
}

function rowOf(shown: Snapshot, rows: Rows, mine: number[][], axis: Axis, cell: number, y: number): Lanes {
  const bars: Bar[] = [];
  const groups: Group[] = [];
  const pills: Group[] = [];
  shown.attempts.forEach((attempt, a) => {
    if (attempt.cell !== cell) return;
    const own = [...served(rows, mine[a]!, axis, attempt.start_ms), ...ran(rows, mine[a]!, axis)];
    const lanes = own.reduce((most, bar) => Math.max(most, bar.lane + 1), 1);
    const edges = [axis.before(attempt.start_ms), axis.after(attempt.end_ms)] as const;
    const left = own.reduce((least, bar) => Math.min(least, bar.left), edges[0]);
    const right = own.reduce((most, bar) => Math.max(most, bar.right), Math.max(edges[1], left + 4));
    groups.push({ attempt: a, left, right, lanes });
    bars.push(...own.filter((bar) => bar.call >= 0));
    for (const at of attempt.replays_ms) {
      pills.push({ attempt: a, left: axis.before(at), right: axis.before(at) + PILL * axis.granted, lanes: 1 });
    }
  });
  bars.sort((one, other) => one.left - other.left);
  const lanes = groups.reduce((most, group) => Math.max(most, group.lanes), 1);
  return {
    y,
    height: CAPTION + lanes * LANE,
    lanes,
    left: Float64Array.from(bars, (bar) => bar.left),
    right: Float64Array.from(bars, (bar) => bar.right),
    lane: Uint8Array.from(bars, (bar) => bar.lane),
    widest: bars.reduce((most, bar) => Math.max(most, bar.right - bar.left), 0),
    call: Int32Array.from(bars, (bar) => bar.call),
    groups,
    pills,
  };
}

function served(rows: Rows, calls: number[], axis: Axis, start: number): Bar[] {
  return bands(rows, calls, start).flatMap((band) => {
    const left = axis.before(band.at);
    const width = SERVED * axis.granted;
    return band.calls.map((call, n) => ({ left: left + n * width, right: left + (n + 1) * width, lane: 0, call }));
  });
}

/** Calls that ran, each in the first lane that is free; those within one share its lane. */
function ran(rows: Rows, calls: number[], axis: Axis): Bar[] {
  const own = calls.filter((n) => rows.fate[n] !== "replayed");
  const around = new Map<number, number>();
  const open: number[] = [];
  for (const n of own) {
    while (open.length && rows.depth[open[open.length - 1]!]! >= rows.depth[n]!) open.pop();
    if (open.length) around.set(n, open[0]!);
    open.push(n);
  }
  const laneOf = new Map<number, number>();
  const free: number[] = [];
  const tops = own.filter((n) => !around.has(n)).sort((one, other) => rows.start[one]! - rows.start[other]!);
  for (const n of tops) {
    let lane = free.findIndex((until) => until <= rows.start[n]!);
    if (lane < 0) lane = Math.min(free.length, LANES_MAX - 1);
    free[lane] = end(rows, n);
    laneOf.set(n, lane);
  }
  return own.map((call) => ({
    left: axis.after(rows.start[call]!),
    right: Math.max(edge(rows, call, axis), axis.after(rows.start[call]!) + 1),
    lane: laneOf.get(around.get(call) ?? call) ?? 0,
    call,
  }));
}

function edge(rows: Rows, call: number, axis: Axis): number {
  const until = end(rows, call);
  return CUT_OFF.has(rows.fate[call]!) ? axis.after(until) : axis.before(until);
}

/** The bars of a row that can be seen between two places: from, to. */
export function between(row: Lanes, left: number, right: number): [number, number] {
  return [lowerBound(row.left, left - row.widest), lowerBound(row.left, right)];
}

/** The bar at a place, or where it is `inner`, the strip within it; -1 for none. */
export function at(row: Lanes, rows: Rows, x: number, lane: number, inner: boolean): number {
  const [from, to] = between(row, x, x + 0.001);
  let found = -1;
  for (let n = from; n < to; n++) {
    const hit = row.lane[n] === lane && row.left[n]! <= x && x <= row.right[n]!;
    if (!hit) continue;
    const deeper = found < 0 ? 0 : rows.depth[row.call[n]!]! - rows.depth[row.call[found]!]!;
    if (found < 0 || (inner ? deeper >= 0 : deeper < 0)) found = n;
  }
  return found;
}
