// When something ran, as pieces that an axis of time can be cut into. Pure.
//
// Of a run with many calls not every begin and end can be a piece: they are gathered into
// stretches in which something ran, and of the pauses between those only the longest stay.

import type { Span } from "./axis";

/** With more calls, they are gathered. */
const EXACT_MAX = 2_000;
const PAUSES_MAX = 1_500;

export function busy(starts: Float64Array, ends: Float64Array): Span[] {
  if (starts.length <= EXACT_MAX) return Array.from(starts, (start, n) => ({ start, end: ends[n]!, quiet: false }));
  return gathered(sorted(starts), sorted(ends));
}

/** Stretches in which something ran: the begins and ends in order are enough to find them. */
function gathered(starts: Float64Array, ends: Float64Array): Span[] {
  const pauses: { from: number; to: number }[] = [];
  let last = 0;
  for (let s = 1, e = 0; s < starts.length; s++) {
    while (e < s && ends[e]! <= starts[s]!) last = ends[e++]!;
    if (e === s && starts[s]! > last) pauses.push({ from: last, to: starts[s]! });
  }
  const lengths = Float64Array.from(pauses, (pause) => pause.to - pause.from).sort();
  const least = lengths[lengths.length - PAUSES_MAX] ?? 0;
  const kept = pauses.filter((pause) => pause.to - pause.from >= least);
  const begins = [starts[0]!, ...kept.map((pause) => pause.to)];
  const finishes = [...kept.map((pause) => pause.from), ends[ends.length - 1]!];
  return begins.map((start, n) => ({ start, end: finishes[n]!, quiet: false }));
}

function sorted(values: Float64Array): Float64Array {
  for (let n = 1; n < values.length; n++) if (values[n]! < values[n - 1]!) return values.slice().sort();
  return values;
}

/** The places of some values in rising order; cheap where they are nearly in order already. */
export function order(values: Float64Array): Int32Array {
  const places = new Int32Array(values.length);
  let moved = 0;
  for (let n = 0; n < values.length; n++) {
    let at = n;
    for (; at && values[places[at - 1]!]! > values[n]!; at--) {
      places[at] = places[at - 1]!;
      if (++moved > 20 * values.length) return Int32Array.from(values.keys()).sort((one, other) => values[one]! - values[other]! || one - other);
    }
    places[at] = n;
  }
  return places;
}
