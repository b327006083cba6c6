// What a view knows: one snapshot, kept up to date by messages. Pure.
//
// Theory of operation. Calls arrive as columns and are kept as columns, because a run can
// have a hundred thousand of them. A `changed` holds only those that are new or different;
// `place` says by attempt and id which row that is. A number that doesn't follow the last
// one means that something was missed: the state is stale and the caller asks again.

import type { Calls, Changed, Details, Message, Page, Piece, Snapshot } from "../protocol";

/** Calls with their words instead of places. */
export interface Rows {
  attempt: string[];
  id: string[];
  number: string[];
  name: string[];
  text: string[];
  fate: string[];
  depth: number[];
  start: number[];
  ms: number[];
  tokens: number[];
}

export interface State {
  shown: Snapshot | null;
  rows: Rows;
  place: Map<string, number>;
  leftOut: number;
  /** Whether a message was missed. */
  gap: boolean;
  details: Map<string, Details>;
  /** Of each part of the details, the piece that is shown. */
  pieces: Map<string, Piece>;
  /** What was said last about a call, or about the view itself under "". */
  notes: Map<string, { line: string; remedies: string[]; refused: boolean }>;
}

export function nothing(): State {
  return {
    shown: null,
    rows: unpacked(EMPTY),
    place: new Map(),
    leftOut: 0,
    gap: false,
    details: new Map(),
    pieces: new Map(),
    notes: new Map(),
  };
}

const EMPTY: Calls = {
  names: [],
  attempt: [],
  id: [],
  number: [],
  name: [],
  text: [],
  fate: [],
  depth: [],
  start_ms: [],
  ms: [],
  tokens: [],
};

export function keyOf(attempt: string, call: string): string {
  return `${attempt}\u0000${call}`;
}

/** The piece of a part that is shown, if one was asked for. */
export function pieceOf(state: State, attempt: string, call: string, part: string): Piece | undefined {
  return state.pieces.get(`${keyOf(attempt, call)}\u0000${part}`);
}

/** The state after a message; what isn't known to this view leaves it as it was. */
export function heard(state: State, message: Message): State {
  switch (message.type) {
    case "snapshot":
      return opened(state, message);
    case "changed":
      return followed(state, message);
    case "page":
      return paged(state, message);
    case "details":
      return detailed(state, message);
    case "piece":
      return { ...state, pieces: new Map(state.pieces).set(`${keyOf(message.attempt, message.call)}\u0000${message.part}`, message) };
    case "told":
      return noted(state, message.about, message.line, [], false);
    case "refused":
      return noted(state, message.about, message.line, message.remedies, true);
    default:
      return state;
  }
}

/** Details are few, those that were opened last: a view that stays open for days stays small. */
const DETAILS_MAX = 50;

function detailed(state: State, found: Details): State {
  const key = keyOf(found.attempt, found.call);
  const kept = [...state.details].filter(([known]) => known !== key).slice(-DETAILS_MAX + 1);
  const pieces = [...state.pieces].filter(([known]) => !known.startsWith(`${key}\u0000`)).slice(-DETAILS_MAX);
  return { ...state, details: new Map([...kept, [key, found]]), pieces: new Map(pieces) };
}

function noted(state: State, about: string, line: string, remedies: string[], refused: boolean): State {
  return { ...state, notes: new Map(state.notes).set(about, { line, remedies, refused }) };
}

function opened(state: State, shown: Snapshot): State {
  const rows = unpacked(shown.calls);
  return { ...state, shown, rows, place: placed(rows), leftOut: shown.left_out, gap: false, details: new Map() };
}

function followed(state: State, change: Changed): State {
  const { shown } = state;
  if (!shown || change.seq !== shown.seq + 1) return { ...state, gap: true };
  const { type: _type, calls, ...parts } = change;
  const next: Snapshot = { ...shown, ...parts, note: change.cells.length ? "" : shown.note };
  const details = new Map(state.details);
  const fresh = unpacked(calls);
  for (let n = 0; n < fresh.id.length; n++) {
    const key = keyOf(fresh.attempt[n]!, fresh.id[n]!);
    details.delete(key);
    put(state.rows, fresh, n, state.place, key);
  }
  const before = new Map(shown.attempts.map((attempt) => [attempt.id, JSON.stringify(attempt)]));
  for (const attempt of next.attempts) {
    if (before.get(attempt.id) !== JSON.stringify(attempt)) details.delete(keyOf(attempt.id, ""));
  }
  return { ...state, shown: next, rows: { ...state.rows }, details };
}

/** A row is changed in place, or put at the end: copying them all would cost too much. */
function put(rows: Rows, fresh: Rows, n: number, place: Map<string, number>, key: string): void {
  const at = place.get(key) ?? rows.id.length;
  place.set(key, at);
  for (const column of COLUMNS) (rows[column] as unknown[])[at] = fresh[column][n];
}

const COLUMNS = ["attempt", "id", "number", "name", "text", "fate", "depth", "start", "ms", "tokens"] as const;

function paged(state: State, page: Page): State {
  const older = unpacked(page.calls);
  const rows = unpacked(EMPTY);
  for (const column of COLUMNS) {
    (rows[column] as unknown[]) = (older[column] as unknown[]).concat(state.rows[column]);
  }
  return { ...state, rows, place: placed(rows), leftOut: page.left_out };
}

/** How many calls of each cell's latest attempt were replayed, ran, and so on. */
export function shares({ shown, rows }: State): [string, number][] {
  if (!shown) return [];
  const latest = new Map<number, { id: string; at: number; whole: boolean }>();
  for (const attempt of shown.attempts) {
    const at = Math.max(attempt.start_ms, ...attempt.replays_ms);
    const known = latest.get(attempt.cell);
    if (!known || at >= known.at) latest.set(attempt.cell, { id: attempt.id, at, whole: attempt.replays_ms.length > 0 });
  }
  const whole = new Map([...latest.values()].map((one) => [one.id, one.whole]));
  const counts = new Map<string, number>();
  for (let n = 0; n < rows.id.length; n++) {
    const replayed = whole.get(rows.attempt[n]!);
    if (replayed === undefined || rows.depth[n]) continue;
    const fate = replayed ? "replayed" : rows.fate[n]!;
    counts.set(fate, (counts.get(fate) ?? 0) + 1);
  }
  const order = ["replayed", "ran", "running", "waiting", "in doubt", "error", "stopped"];
  return [...counts].sort(([one], [other]) => order.indexOf(one) - order.indexOf(other));
}

function unpacked(calls: Calls): Rows {
  const word = (place: number): string => calls.names[place] ?? "";
  return {
    attempt: calls.attempt.map(word),
    id: calls.id.slice(),
    number: calls.number.slice(),
    name: calls.name.map(word),
    text: calls.text.slice(),
    fate: calls.fate.map(word),
    depth: calls.depth.slice(),
    start: calls.start_ms.slice(),
    ms: calls.ms.slice(),
    tokens: calls.tokens.slice(),
  };
}

function placed(rows: Rows): Map<string, number> {
  const place = new Map<string, number>();
  rows.id.forEach((id, n) => place.set(keyOf(rows.attempt[n]!, id), n));
  return place;
}
