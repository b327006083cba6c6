import type { Snapshot } from "../protocol";
import { FATES, type Rows } from "./state";

type Call = { id: string; number?: string; fate?: string; depth?: number; start: number; ms?: number };

/** Calls as a view holds them. */
export function rows(calls: Call[]): Rows {
  return {
    words: ["a", "tool"],
    attempt: calls.map(() => 0),
    id: calls.map((call) => call.id),
    number: calls.map((call, n) => call.number ?? String(n)),
    name: calls.map(() => 1),
    text: calls.map((call) => call.id),
    fate: calls.map((call) => FATES.indexOf(call.fate ?? "ran")),
    depth: calls.map((call) => call.depth ?? 0),
    start: calls.map((call) => call.start),
    ms: calls.map((call) => call.ms ?? 10),
    tokens: calls.map(() => 0),
    tries: calls.map(() => 1),
  };
}

/** A run with one attempt of one cell. */
export function shown(end: number): Snapshot {
  const attempt = { id: "a", cell: 0, number: 1, fate: "ran", start_ms: 0, end_ms: end, told: "", why: [], error: "", replays_ms: [], calls: 1 };
  const cell = { slot: "s", name: "c", title: "", fate: "ran", last: "", would: "", stale: "", cost_ms: 0, saved: "", cell_id: "", took_ms: 0, written: 0 };
  return { cells: [cell], attempts: [attempt], kernels: [] } as unknown as Snapshot;
}
