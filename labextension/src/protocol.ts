// Generated from nbdurable.timeline.protocol and .requests: make ui

export const VERSION = 1;

/** Something that can be done, and what it costs. */
export interface Action {
  what: string;
  about: string;
  means: string;
  asks: string;
  command: string;
  code: string;
}

/** What stands above everything. */
export interface Head {
  id: string;
  number: number;
  title: string;
  notebook: string;
  told: string;
  opened_us: number;
  now_us: number;
  zone_min: number;
  served: number;
  saved: string;
  kernel: string;
  kept: string;
  actions: Action[];
}

/** A button under a question. */
export interface Reply {
  means: string;
  said: string;
  typed: boolean;
  command: string;
}

/** What needs somebody. */
export interface Need {
  reference: string;
  message: string;
  fate: string;
  call: string;
  says: string;
  shown: string;
  replies: Reply[];
  question: string;
  attempt: string;
  id: string;
}

/** A cell. */
export interface Cell {
  slot: string;
  name: string;
  title: string;
  fate: string;
  last: string;
  would: string;
  stale: string;
  cost_ms: number;
  saved: string;
  cell_id: string;
  took_ms: number;
  written: number;
}

/** An attempt of a cell. */
export interface Attempt {
  id: string;
  cell: number;
  number: number;
  fate: string;
  start_ms: number;
  end_ms: number;
  told: string;
  why: string[];
  error: string;
  replays_ms: number[];
  calls: number;
}

/** A process that executed cells of the run. */
export interface Kernel {
  number: number;
  start_ms: number;
  end_ms: number;
  alive: boolean;
  stopped: string;
}

/** Calls as columns: the n-th entries of all lists are one call. */
export interface Calls {
  names: string[];
  attempt: number[];
  id: string[];
  number: string[];
  name: number[];
  text: string[];
  fate: number[];
  depth: number[];
  start_ms: number[];
  ms: number[];
  tokens: number[];
  tries: number[];
}

/** Everything that a view shows at first. */
export interface Snapshot {
  type: "snapshot";
  version: number;
  seq: number;
  head: Head;
  needs: Need[];
  cells: Cell[];
  attempts: Attempt[];
  kernels: Kernel[];
  calls: Calls;
  left_out: number;
  kept: string[];
  note: string;
}

/** What is otherwise than at ``seq - 1``: all but the calls is sent whole. */
export interface Changed {
  type: "changed";
  seq: number;
  head: Head;
  needs: Need[];
  cells: Cell[];
  attempts: Attempt[];
  kernels: Kernel[];
  calls: Calls;
  kept: string[];
}

/** What needs somebody, for a view that draws nothing. */
export interface Watched {
  type: "watched";
  needs: Need[];
  cells: Cell[];
  run: string;
}

/** Older calls, as they were asked for. */
export interface Page {
  type: "page";
  calls: Calls;
  left_out: number;
}

/** A stored value, shortened. */
export interface Part {
  title: string;
  text: string;
  note: string;
  kind: string;
  rows: string[][];
  chars: number;
}

/** All there is to say of a call, or of an attempt. */
export interface Details {
  type: "details";
  attempt: string;
  call: string;
  title: string;
  lines: string[];
  error: string;
  parts: Part[];
  key: string;
  actions: Action[];
}

/** A piece of a value, as it was asked for. */
export interface Piece {
  type: "piece";
  attempt: string;
  call: string;
  part: string;
  start: number;
  text: string;
  chars: number;
}

/** A run in a list. */
export interface RunLine {
  id: string;
  number: number;
  notebook: string;
  status: string;
  told: string;
  since: string;
  active: string;
  cells: string[];
  tags: string[];
  pinned: boolean;
  shown: boolean;
}

/** Runs of the store, as they were asked for. */
export interface Runs {
  type: "runs";
  runs: RunLine[];
  start: number;
  total: number;
  note: string;
  unread: number;
}

/** A file that was asked for, to be saved. */
export interface File {
  type: "file";
  name: string;
  text: string;
  to: string;
}

/** What an answer did. */
export interface Told {
  type: "told";
  about: string;
  line: string;
  to: string;
}

/** What was not done, and what to do instead. */
export interface Refused {
  type: "refused";
  about: string;
  line: string;
  remedies: string[];
  to: string;
  actions: Action[];
  again: boolean;
}

/** Give me a snapshot. */
export interface Open {
  type: "open";
  version: number;
  run?: string;
  notebook?: string;
}

/** Tell me what needs somebody, and no more than I say: I draw nothing now. */
export interface Watch {
  type: "watch";
  version: number;
  cells?: boolean;
  notebook?: string;
}

/** Give me runs of the store; what is "" doesn't count. */
export interface Find {
  type: "find";
  text?: string;
  notebook?: string;
  status?: string;
  tool?: string;
  model?: string;
  call?: string;
  tag?: string;
  start?: number;
}

/** Give me the calls before those that I have. */
export interface Older {
  type: "older";
  left_out: number;
}

/** Tell me all about a call or an attempt. */
export interface Detail {
  type: "detail";
  attempt: string;
  call?: string;
}

/** Give me a piece of a value. */
export interface Value {
  type: "value";
  attempt: string;
  part: string;
  call?: string;
  start?: number;
}

/** Somebody says what became of a call. */
export interface Resolve {
  type: "resolve";
  call: string;
  said: string;
  text?: string;
  ask?: string;
  run?: string;
}

/** Somebody answers a question. */
export interface Signal {
  type: "signal";
  call: string;
  text?: string;
  ask?: string;
  run?: string;
}

/** Somebody wants that a call is given up. */
export interface Cancel {
  type: "cancel";
  call: string;
  ask?: string;
  run?: string;
}

/** Somebody wants something done, and has confirmed it. */
export interface Act {
  type: "act";
  what: string;
  about?: string;
  ask?: string;
  run?: string;
}

export type Message = Snapshot | Changed | Watched | Page | Details | Piece | Runs | File | Told | Refused;

export type Doing = Resolve | Signal | Cancel | Act;

export type Request = Open | Watch | Find | Older | Detail | Value | Resolve | Signal | Cancel | Act;

/** What only a kernel can do. */
export const IN_KERNEL = ["fork", "branch", "restore", "cancel"];
