// What a view knows: one snapshot, kept up to date by messages. Pure.
//
// Theory of operation. Calls arrive as columns and are kept as columns, because a run can
// have a hundred thousand of them. A `changed` holds only those that are new or different;
// by attempt and id it is found which row that is. A number that doesn't follow the last
// one means that something was missed: the state is stale and the caller asks again.

import type { Action, Calls, Changed, Details, Message, Page, Piece, Runs, Snapshot } from "../protocol";

/** Calls as columns; `attempt` and `name` are places in `words`, `fate` is one in `FATES`. */
export interface Rows {
  words: string[];
  attempt: number[];
  id: string[];
  number: string[];
  name: number[];
  text: string[];
  fate: number[];
  depth: number[];
  start: number[];
  ms: number[];
  tokens: number[];
  tries: number[];
}

/** What can become of a call; of several that share a pixel the last one here is seen. */
export const FATES = ["replayed", "ran", "stopped", "waiting", "running", "in doubt", "error"];

const RAN = FATES.indexOf("ran");

export function fateOf(rows: Rows, n: number): string {
  return FATES[rows.fate[n]!]!;
}

export function nameOf(rows: Rows, n: number): string {
  return rows.words[rows.name[n]!] ?? "";
}

export function attemptOf(rows: Rows, n: number): string {
  return rows.words[rows.attempt[n]!] ?? "";
}

export interface Note {
  line: string;
  remedies: string[];
  refused: boolean;
  actions: Action[];
}

export interface State {
  shown: Snapshot | null;
  rows: Rows;
  leftOut: number;
  /** How many of the rows were asked for as older ones. */
  paged: number;
  /** Whether a message was missed. */
  gap: boolean;
  details: Map<string, Details>;
  /** Of each part of the details, the piece that is shown. */
  pieces: Map<string, Piece>;
  /** The runs of the store, as they were asked for last. */
  runs: Runs | null;
  /** What was said last about a call, or about the view itself under "". */
  notes: Map<string, Note>;
}

export function nothing(): State {
  return {
    shown: null,
    rows: unpacked(EMPTY),
    leftOut: 0,
    paged: 0,
    gap: false,
    details: new Map(),
    pieces: new Map(),
    runs: null,
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
  tries: [],
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
    case "runs":
      return { ...state, runs: message };
    case "told":
      return noted(state, message.about, { line: message.line, remedies: [], refused: false, actions: [] });
    case "refused":
      return noted(state, message.about, { ...message, refused: true, actions: message.actions ?? [] });
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

/** What was said last; who approves all day long has no use for the rest. */
const NOTES_MAX = 200;

function noted(state: State, about: string, { line, remedies, refused, actions }: Note): State {
  const kept = [...state.notes].filter(([known]) => known !== about).slice(-NOTES_MAX + 1);
  return { ...state, notes: new Map([...kept, [about, { line, remedies, refused, actions }]]) };
}

function opened(state: State, shown: Snapshot): State {
  const { calls, ...parts } = shown;
  const notes = new Map(state.notes);
  notes.delete(""); // what kept the view from being answered is over
  const rows = unpacked(calls);
  return { ...state, notes, shown: { ...parts, calls: EMPTY }, rows, leftOut: shown.left_out, paged: 0, gap: false, details: new Map() };
}

/** Beyond it the newest rows are asked for again: half as many as a snapshot has may come in between. */
export const ROWS_MAX = 150_000;

function followed(state: State, change: Changed): State {
  const { shown } = state;
  if (!shown || change.seq !== shown.seq + 1) return { ...state, gap: true };
  const { type: _type, calls, ...parts } = change;
  const next: Snapshot = { ...shown, ...parts, calls: EMPTY, note: change.cells.length ? "" : shown.note };
  const details = new Map(state.details);
  const inside = merged(state.rows, calls, (attempt, id) => details.delete(keyOf(attempt, id)));
  const before = new Map(shown.attempts.map((attempt) => [attempt.id, JSON.stringify(attempt)]));
  for (const attempt of next.attempts) {
    if (before.get(attempt.id) !== JSON.stringify(attempt)) details.delete(keyOf(attempt.id, ""));
  }
  return { ...state, shown: next, rows: { ...state.rows }, gap: inside || state.rows.id.length - state.paged > ROWS_MAX, details };
}

/** Where each call of some rows is, by attempt and id; made when the first change comes. */
const PLACES = new WeakMap<string[], { words: Map<string, number>; calls: Map<number, Map<string, number>> }>();

function placesOf(rows: Rows): { words: Map<string, number>; calls: Map<number, Map<string, number>> } {
  const known = PLACES.get(rows.id);
  if (known) return known;
  const words = new Map(rows.words.map((word, n) => [word, n]));
  const calls = new Map<number, Map<string, number>>();
  for (let n = 0; n < rows.id.length; n++) placeOf(calls, rows.attempt[n]!).set(rows.id[n]!, n);
  PLACES.set(rows.id, { words, calls });
  return { words, calls };
}

function placeOf(calls: Map<number, Map<string, number>>, attempt: number): Map<string, number> {
  let found = calls.get(attempt);
  if (!found) calls.set(attempt, (found = new Map()));
  return found;
}

/**
 * Rows are changed in place, or put at the end: copying them all would cost too much. Whether
 * one belongs before others is what is returned: an attempt may tell at its end what it was
 * served at its beginning, and then it is cheaper to ask for all rows in their order.
 */
function merged(rows: Rows, calls: Calls, seen: (attempt: string, id: string) => void): boolean {
  let inside = false;
  const places = placesOf(rows);
  const fresh = unpacked(calls);
  const own = fresh.words.map((word) => {
    let n = places.words.get(word);
    if (n === undefined) places.words.set(word, (n = rows.words.push(word) - 1));
    return n;
  });
  for (let n = 0; n < fresh.id.length; n++) {
    fresh.name[n] = own[fresh.name[n]!]!;
    const attempt = (fresh.attempt[n] = own[fresh.attempt[n]!]!);
    const mine = placeOf(places.calls, attempt);
    const end = rows.id.length;
    const at = mine.get(fresh.id[n]!) ?? end;
    inside ||= at === end && rows.attempt[end - 1] === attempt && parseInt(fresh.number[n]!) < parseInt(rows.number[end - 1]!);
    mine.set(fresh.id[n]!, at);
    for (const column of COLUMNS) (rows[column] as unknown[])[at] = fresh[column][n];
    seen(rows.words[attempt]!, fresh.id[n]!);
  }
  return inside;
}

const COLUMNS = ["attempt", "id", "number", "name", "text", "fate", "depth", "start", "ms", "tokens", "tries"] as const;

function paged(state: State, page: Page): State {
  const rows = unpacked(page.calls);
  const { rows: had } = state;
  const calls: Calls = { ...had, names: [...had.words, ...FATES], fate: had.fate.map((fate) => had.words.length + fate), start_ms: had.start };
  merged(rows, calls, () => undefined);
  return { ...state, rows, leftOut: page.left_out, paged: state.paged + page.calls.id.length };
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
  const replayed = rows.words.map((word) => whole.get(word));
  const counts = FATES.map(() => 0);
  for (let n = 0; n < rows.id.length; n++) {
    const all = replayed[rows.attempt[n]!];
    if (all !== undefined && !rows.depth[n]) counts[all ? 0 : rows.fate[n]!]!++;
  }
  const told = ["replayed", "ran", "running", "waiting", "in doubt", "error", "stopped"];
  return told.map((fate): [string, number] => [fate, counts[FATES.indexOf(fate)]!]).filter(([, number]) => number);
}

/** The columns of a message as they are: it is nobody else's. */
function unpacked(calls: Calls): Rows {
  const fates = calls.names.map((word) => (FATES.includes(word) ? FATES.indexOf(word) : RAN));
  const tries = calls.tries?.length ? calls.tries : calls.id.map(() => 1);
  return {
    words: calls.names.slice(),
    attempt: calls.attempt.slice(),
    id: calls.id.slice(),
    number: calls.number.slice(),
    name: calls.name.slice(),
    text: calls.text.slice(),
    fate: calls.fate.map((place) => fates[place] ?? RAN),
    depth: calls.depth.slice(),
    start: calls.start_ms.slice(),
    ms: calls.ms.slice(),
    tokens: calls.tokens.slice(),
    tries: tries.slice(),
  };
}
