// From calls to bars in lanes: where everything stands in the picture. Pure.
//
// A row per cell; its attempts stand behind each other on one axis of time, calls that ran
// side by side in lanes under each other. Calls within a call are strips in its bar, those
// side by side again under each other. Replayed calls took no time: they stand in a band
// before the call that ran next.
//
// A run can have a hundred thousand calls, and a plan is made anew with every change: its
// parts are columns of numbers, and nothing is made per call.

import type { Attempt, Snapshot } from "../protocol";
import { Axis, lowerBound, type Gap, type Instant, type Span } from "./axis";
import { busy, order } from "./spans";
import { FATES, type Rows } from "./state";

export const LANE = 22;
export const BAR = 18;
const LANES_MAX = 16;
/** Strips of calls within a call that are seen under each other in its bar. */
export const STRIPS_MAX = 3;
const SERVED = 15;
const PILL = 58;
/** Room for a call of which only the begin is known: its sign can be read. */
const CUT = 22;
const REPLAYED = FATES.indexOf("replayed");
const CUT_OFF = new Set(["in doubt", "stopped"].map((fate) => FATES.indexOf(fate)));

/** The bars of a cell, as columns sorted by their left edge. */
export interface Lanes {
  y: number;
  height: number;
  lanes: number;
  left: Float64Array;
  right: Float64Array;
  lane: Uint8Array;
  /** Of a call within a call, the strip that it is in its bar. */
  strip: Uint8Array;
  /** The widest bar: how far to look back from a place. */
  widest: number;
  /** The call of each bar. */
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
  axis: Axis;
  /** How many calls there were when it was made, and have bars in it since. */
  counted: number;
}

export const HEAD = 46;
export const CAPTION = 17;
const ROW_GAP = 14;
const FOOT = 34;
const WAIT_MS_MIN = 1_000;

export function plan(shown: Snapshot, rows: Rows, width: number, named: number): Plan {
  const mine = byAttempt(shown, rows);
  const axis = new Axis(spansOf(shown, rows, mine), instantsOf(shown, rows, mine), width);
  const lanes: Lanes[] = [];
  let y = HEAD;
  const ofCell: number[][] = shown.cells.map(() => []);
  shown.attempts.forEach((attempt, a) => ofCell[attempt.cell]?.push(a));
  for (const attempts of ofCell) {
    const row = rowOf(shown, rows, mine, axis, attempts, y + named);
    lanes.push(row);
    y += named + row.height + ROW_GAP;
  }
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
    axis,
    counted: rows.id.length,
  };
}

export function end(rows: Rows, n: number): number {
  return rows.start[n]! + Math.max(0.001, rows.ms[n]!);
}

/** The calls of each attempt, in order. */
function byAttempt(shown: Snapshot, rows: Rows): Int32Array[] {
  const places = new Map(shown.attempts.map((attempt, a) => [attempt.id, a]));
  const ofWord = Int32Array.from(rows.words, (word) => places.get(word) ?? -1);
  const counts = new Int32Array(shown.attempts.length);
  for (let n = 0; n < rows.id.length; n++) {
    const a = ofWord[rows.attempt[n]!]!;
    if (a >= 0) counts[a]!++;
  }
  const mine = Array.from(counts, (count) => new Int32Array(count));
  counts.fill(0);
  for (let n = 0; n < rows.id.length; n++) {
    const a = ofWord[rows.attempt[n]!]!;
    if (a >= 0) mine[a]![counts[a]!++] = n;
  }
  return mine;
}

function spansOf(shown: Snapshot, rows: Rows, mine: Int32Array[]): Span[] {
  const most = mine.reduce((sum, calls) => sum + calls.length, 0);
  const starts = new Float64Array(most);
  const ends = new Float64Array(most);
  let count = 0;
  for (const calls of mine) {
    for (let at = 0; at < calls.length; at++) {
      const n = calls[at]!;
      if (rows.fate[n] === REPLAYED) continue;
      starts[count] = rows.start[n]!;
      ends[count++] = end(rows, n);
    }
  }
  const quiet = shown.attempts.map((attempt) => ({
    start: attempt.start_ms,
    end: Math.max(attempt.end_ms, attempt.start_ms + 0.001),
    quiet: true,
  }));
  return quiet.concat(busy(starts.subarray(0, count), ends.subarray(0, count)));
}

function instantsOf(shown: Snapshot, rows: Rows, mine: Int32Array[]): Instant[] {
  const instants: Instant[] = [];
  shown.attempts.forEach((attempt, a) => {
    const cut = new Set<number>();
    for (const n of mine[a]!) if (CUT_OFF.has(rows.fate[n]!)) cut.add(end(rows, n));
    for (const at of cut) instants.push({ at, width: CUT });
    for (const at of attempt.replays_ms) instants.push({ at, width: PILL });
    for (const band of bands(rows, mine[a]!, attempt.start_ms)) {
      instants.push({ at: band.at, width: SERVED * band.calls.length + 4 });
    }
  });
  return instants;
}

interface Band {
  at: number;
  calls: number[];
}

/** Replayed calls, gathered before the call that ran next. */
function bands(rows: Rows, calls: Int32Array, start: number): Band[] {
  const found: Band[] = [];
  if (!calls.some((n) => rows.fate[n] === REPLAYED)) return found;
  let open: number[] = [];
  let last = start;
  for (let at = 0; at < calls.length; at++) {
    const n = calls[at]!;
    if (rows.depth[n]) continue;
    if (rows.fate[n] === REPLAYED) {
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

/** Bars as they are found, in columns that are long enough. */
interface Bars {
  count: number;
  left: Float64Array;
  right: Float64Array;
  lane: Uint8Array;
  strip: Uint8Array;
  call: Int32Array;
}

function rowOf(shown: Snapshot, rows: Rows, mine: Int32Array[], axis: Axis, attempts: number[], y: number): Lanes {
  const most = attempts.reduce((sum, a) => sum + mine[a]!.length, 0);
  const bars: Bars = {
    count: 0,
    left: new Float64Array(most),
    right: new Float64Array(most),
    lane: new Uint8Array(most),
    strip: new Uint8Array(most),
    call: new Int32Array(most),
  };
  const groups = attempts.map((a) => groupOf(shown.attempts[a]!, a, rows, mine[a]!, axis, bars));
  const pills = attempts.flatMap((a) =>
    shown.attempts[a]!.replays_ms.map((at) => ({ attempt: a, left: axis.before(at), right: axis.before(at) + PILL * axis.granted, lanes: 1 })),
  );
  const lanes = groups.reduce((wide, group) => Math.max(wide, group.lanes), 1);
  return { y, height: CAPTION + lanes * LANE, lanes, ...inOrder(bars), groups, pills };
}

function groupOf(attempt: Attempt, a: number, rows: Rows, calls: Int32Array, axis: Axis, bars: Bars): Group {
  const first = bars.count;
  served(rows, calls, axis, attempt.start_ms, bars);
  ran(rows, calls, axis, bars);
  let left = axis.before(attempt.start_ms);
  let right = Math.max(axis.after(attempt.end_ms), left + 4);
  let lanes = 1;
  for (let n = first; n < bars.count; n++) {
    left = Math.min(left, bars.left[n]!);
    right = Math.max(right, bars.right[n]!);
    lanes = Math.max(lanes, bars.lane[n]! + 1);
  }
  return { attempt: a, left, right, lanes };
}

/** The columns sorted by their left edges. */
function inOrder(bars: Bars): Pick<Lanes, "left" | "right" | "lane" | "strip" | "call" | "widest"> {
  const places = order(bars.left.subarray(0, bars.count));
  const made = {
    left: new Float64Array(bars.count),
    right: new Float64Array(bars.count),
    lane: new Uint8Array(bars.count),
    strip: new Uint8Array(bars.count),
    call: new Int32Array(bars.count),
    widest: 0,
  };
  for (let n = 0; n < bars.count; n++) {
    const from = places[n]!;
    made.left[n] = bars.left[from]!;
    made.right[n] = bars.right[from]!;
    made.lane[n] = bars.lane[from]!;
    made.strip[n] = bars.strip[from]!;
    made.call[n] = bars.call[from]!;
    made.widest = Math.max(made.widest, made.right[n]! - made.left[n]!);
  }
  return made;
}

function put(bars: Bars, left: number, right: number, lane: number, strip: number, call: number): void {
  const n = bars.count++;
  bars.left[n] = left;
  bars.right[n] = right;
  bars.lane[n] = lane;
  bars.strip[n] = strip;
  bars.call[n] = call;
}

function served(rows: Rows, calls: Int32Array, axis: Axis, start: number, bars: Bars): void {
  const width = SERVED * axis.granted;
  for (const band of bands(rows, calls, start)) {
    const left = axis.before(band.at);
    band.calls.forEach((call, n) => put(bars, left + n * width, left + (n + 1) * width, 0, 0, call));
  }
}

/** Calls that ran, each in the first lane that is free; those within one share its lane. */
function ran(rows: Rows, calls: Int32Array, axis: Axis, bars: Bars): void {
  const own = calls.filter((n) => rows.fate[n] !== REPLAYED);
  const around = enclosing(rows, own);
  const lanes = lanesOf(rows, own, around);
  for (let at = 0; at < own.length; at++) {
    const call = own[at]!;
    const top = around ? around[at]! : -1;
    const left = axis.after(rows.start[call]!);
    const right = Math.max(edge(rows, call, axis), left + 1);
    if (top < 0) put(bars, left, right, lanes[at]!, 0, call);
    else put(bars, left, right, lanes[top]!, lanes[at]!, call);
  }
}

/** For each call within another one, where the outermost that encloses it is: its number says. */
function enclosing(rows: Rows, own: Int32Array): Int32Array | null {
  if (!own.some((n) => rows.depth[n])) return null;
  const around = new Int32Array(own.length).fill(-1);
  const numbered = new Map<string, number>();
  let top = -1;
  for (let at = 0; at < own.length; at++) {
    const n = own[at]!;
    if (rows.depth[n]) {
      around[at] = numbered.get(rows.number[n]!.split(".", 1)[0]!) ?? top;
      continue;
    }
    top = at;
    if (rows.number[n]) numbered.set(rows.number[n]!, at);
  }
  return around;
}

/** The first free lane of each call; within another call, the first free strip of that one. */
function lanesOf(rows: Rows, own: Int32Array, around: Int32Array | null): Uint8Array {
  const starts = new Float64Array(own.length);
  for (let at = 0; at < own.length; at++) starts[at] = rows.start[own[at]!]!;
  const lanes = new Uint8Array(own.length);
  const free: number[] = [];
  const within = new Map<number, number[]>();
  for (const at of order(starts)) {
    const top = around ? around[at]! : -1;
    const until = end(rows, own[at]!);
    if (top < 0) {
      lanes[at] = taken(free, starts[at]!, until, LANES_MAX);
      continue;
    }
    let open = within.get(top);
    if (!open) within.set(top, (open = []));
    lanes[at] = taken(open, starts[at]!, until, STRIPS_MAX);
  }
  return lanes;
}

/** Take the first place that is free, or the last one where all are taken. */
function taken(free: number[], start: number, until: number, most: number): number {
  let place = 0;
  while (place < free.length && free[place]! > start) place++;
  place = Math.min(place, most - 1);
  free[place] = until;
  return place;
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
