// Where moments stand on a line on which hours of nothing take no room. Pure.
//
// Theory of operation. The moments at which something begins or ends cut time into pieces.
// Each piece gets a width in proportion to its length, within bounds: a piece in which
// calls ran is never too narrow to be seen, a wait of hours is never wider than a gap. One
// scale makes the sum of all pieces fill the line. What takes no time but has to be shown
// (calls that were replayed) gets room of its own between two pieces.

export interface Span {
  start: number;
  end: number;
  /** Whether only the cell itself ran. */
  quiet: boolean;
}

export interface Instant {
  at: number;
  width: number;
}

export interface Gap {
  start: number;
  end: number;
}

const BUSY_MIN = 9;
const BUSY_SHARE = 0.5;
const GAP = [12, 40] as const;
const QUIET = [2, 160] as const;
const INSTANT_SHARE = 0.45;
const ROUNDS = 40;

export class Axis {
  readonly gaps: Gap[] = [];
  private readonly moments: Float64Array;
  private readonly befores: Float64Array;
  private readonly afters: Float64Array;
  /** How much of a wished room an instant got, from 0 to 1. */
  readonly granted: number;

  constructor(spans: Span[], instants: Instant[], readonly width: number) {
    const wished = instants.reduce((sum, instant) => sum + instant.width, 0);
    this.granted = wished ? Math.min(1, (INSTANT_SHARE * width) / wished) : 1;
    const room = new Map<number, number>();
    for (const { at, width: w } of instants) room.set(at, (room.get(at) ?? 0) + w * this.granted);
    this.moments = distinct(spans, room);
    const count = this.moments.length;
    const [least, most] = bounds(spans, this.moments, width);
    const scale = fitted(this.moments, least, most, width - wished * this.granted);
    this.befores = new Float64Array(count);
    this.afters = new Float64Array(count);
    let at = 0;
    for (let n = 0; n < count; n++) {
      if (n) at += clamp((this.moments[n]! - this.moments[n - 1]!) * scale, least[n - 1]!, most[n - 1]!);
      this.befores[n] = at;
      at += room.get(this.moments[n]!) ?? 0;
      this.afters[n] = at;
      if (n && most[n - 1] === GAP[1]) this.gaps.push({ start: this.moments[n - 1]!, end: this.moments[n]! });
    }
    const factor = at > width ? width / at : 1;
    for (let n = 0; n < count; n++) {
      this.befores[n]! *= factor;
      this.afters[n]! *= factor;
    }
  }

  /** The place of a moment, before what took no time then. */
  before(at: number): number {
    return this.place(at, this.befores);
  }

  /** The place of a moment, after what took no time then. */
  after(at: number): number {
    return this.place(at, this.afters);
  }

  private place(at: number, known: Float64Array): number {
    const n = lowerBound(this.moments, at);
    const last = this.moments.length - 1;
    if (last < 0) return 0;
    if (n > last) return this.afters[last]!;
    if (this.moments[n] === at || n === 0) return known[n]!;
    const left = this.moments[n - 1]!;
    const share = (at - left) / (this.moments[n]! - left);
    return this.afters[n - 1]! + share * (this.befores[n]! - this.afters[n - 1]!);
  }
}

/** The first place whose value is not less. */
export function lowerBound(sorted: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}

function distinct(spans: Span[], room: Map<number, number>): Float64Array {
  const all = new Float64Array(spans.length * 2 + room.size);
  let n = 0;
  for (const span of spans) {
    all[n++] = span.start;
    all[n++] = span.end;
  }
  for (const at of room.keys()) all[n++] = at;
  all.sort();
  let kept = 0;
  for (let i = 0; i < all.length; i++) if (!i || all[i] !== all[i - 1]) all[kept++] = all[i]!;
  return all.slice(0, kept);
}

/** The least and the greatest width of each piece. */
function bounds(spans: Span[], moments: Float64Array, width: number): [Float64Array, Float64Array] {
  const pieces = Math.max(0, moments.length - 1);
  const busy = new Int32Array(pieces + 1);
  const quiet = new Int32Array(pieces + 1);
  for (const span of spans) {
    const counts = span.quiet ? quiet : busy;
    counts[lowerBound(moments, span.start)]!++;
    counts[lowerBound(moments, span.end)]!--;
  }
  const least = new Float64Array(pieces);
  const most = new Float64Array(pieces);
  const narrow = Math.min(BUSY_MIN, (BUSY_SHARE * width) / Math.max(1, pieces));
  for (let n = 0, b = 0, q = 0; n < pieces; n++) {
    b += busy[n]!;
    q += quiet[n]!;
    const [low, high] = b ? [narrow, Infinity] : q ? QUIET : GAP;
    least[n] = Math.min(low, narrow);
    most[n] = high;
  }
  return [least, most];
}

/** The scale at which all pieces fill the line. */
function fitted(moments: Float64Array, least: Float64Array, most: Float64Array, width: number): number {
  const total = (scale: number): number => {
    let sum = 0;
    for (let n = 0; n < least.length; n++) {
      sum += clamp((moments[n + 1]! - moments[n]!) * scale, least[n]!, most[n]!);
    }
    return sum;
  };
  let low = 0;
  let high = Math.max(1, width);
  for (let round = 0; round < ROUNDS; round++) {
    const middle = (low + high) / 2;
    if (total(middle) > width) high = middle;
    else low = middle;
  }
  return low;
}
