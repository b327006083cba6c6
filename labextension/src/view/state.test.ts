import { describe, expect, it } from "vitest";
import type { Calls, Changed, Snapshot } from "../protocol";
import { ROWS_MAX, attemptOf, fateOf, heard, keyOf, nothing, shares } from "./state";

const HEAD = { id: "r", number: 1, title: "a", notebook: "a", told: "", opened_us: 0, now_us: 0, zone_min: 0, served: 0, saved: "", kernel: "", kept: "", actions: [] };
const ATTEMPT = { cell: 0, number: 1, fate: "ran", start_ms: 0, end_ms: 9, told: "", why: [], error: "", replays_ms: [], calls: 2 };
const CELL = { slot: "s", name: "c", title: "", fate: "ran", last: "", would: "", stale: "", cost_ms: 0, saved: "", cell_id: "", took_ms: 0, written: 0 };

function calls(...rows: [attempt: string, id: string, fate: string][]): Snapshot["calls"] {
  const names = [...new Set(["tool", ...rows.flatMap(([attempt, , fate]) => [attempt, fate])])];
  return {
    names,
    attempt: rows.map(([attempt]) => names.indexOf(attempt)),
    id: rows.map(([, id]) => id),
    number: rows.map((_, n) => String(n + 1)),
    name: rows.map(() => 0),
    text: rows.map(([, id]) => `${id}()`),
    fate: rows.map(([, , fate]) => names.indexOf(fate)),
    depth: rows.map(() => 0),
    start_ms: rows.map((_, n) => n),
    ms: rows.map(() => 1),
    tokens: rows.map(() => 0),
    tries: rows.map(() => 1),
  };
}

function snapshot(made: Snapshot["calls"], seq = 4): Snapshot {
  return { type: "snapshot", version: 1, seq, head: HEAD, needs: [], cells: [CELL], attempts: [{ ...ATTEMPT, id: "a1" }], kernels: [], calls: made, left_out: 0, kept: [], note: "" };
}

function changed(made: Snapshot["calls"], seq: number): Changed {
  const { type: _type, version: _version, left_out: _left, note: _note, ...parts } = snapshot(made, seq);
  return { type: "changed", ...parts };
}

/** The same with numbers that go on. */
function numbered(made: Calls, from: number): Calls {
  return { ...made, number: made.id.map((_, n) => String(from + n + 2)) };
}

describe("what a view knows", () => {
  it("follows a change: a call changes its fate, another one is new", () => {
    let state = heard(nothing(), snapshot(calls(["a1", "x", "running"])));
    state = heard(state, changed(calls(["a1", "y", "running"], ["a1", "x", "ran"]), 5));
    expect(state.rows.id).toEqual(["x", "y"]);
    expect(state.rows.id.map((_, n) => fateOf(state.rows, n))).toEqual(["ran", "running"]);
    expect(state.shown?.seq).toBe(5);
    expect(state.gap).toBe(false);
  });

  it("sees a gap, keeps what it has, and is whole again after a snapshot", () => {
    let state = heard(nothing(), snapshot(calls(["a1", "x", "running"])));
    state = heard(state, changed(calls(["a1", "x", "ran"]), 6));
    expect(state.gap).toBe(true);
    expect(fateOf(state.rows, 0)).toBe("running");
    expect(heard(state, snapshot(calls(["a1", "x", "ran"]), 7)).gap).toBe(false);
  });

  it("takes a change before any snapshot as a gap", () => {
    expect(heard(nothing(), changed(calls(), 1)).gap).toBe(true);
  });

  it("asks again when a call belongs before those that it has", () => {
    const numbered = (numbers: string[], ...rows: [string, string, string][]): Calls => ({ ...calls(...rows), number: numbers });
    let state = heard(nothing(), snapshot(numbered(["1"], ["a1", "x", "ran"])));
    state = heard(state, changed(numbered(["2"], ["a1", "y", "ran"]), 5));
    expect(state.gap).toBe(false);
    state = heard(state, changed(numbered(["1", "2", "3"], ["a1", "z", "replayed"], ["a1", "x", "ran"], ["a1", "y", "ran"]), 6));
    expect(state.gap).toBe(true);
  });

  it("puts older calls before those it has", () => {
    let state = heard(nothing(), { ...snapshot(calls(["a1", "y", "ran"])), left_out: 1 });
    state = heard(state, { type: "page", calls: calls(["a1", "x", "ran"]), left_out: 0 });
    expect(state.rows.id).toEqual(["x", "y"]);
    state = heard(state, changed(calls(["a1", "y", "replayed"]), 5));
    expect(state.rows.id.map((_, n) => [attemptOf(state.rows, n), fateOf(state.rows, n)])).toEqual([["a1", "ran"], ["a1", "replayed"]]);
    expect(state.leftOut).toBe(0);
  });

  it("forgets the details of what changed", () => {
    let state = heard(nothing(), snapshot(calls(["a1", "x", "running"], ["a1", "y", "ran"])));
    for (const call of ["x", "y"]) {
      state = heard(state, { type: "details", attempt: "a1", call, title: "", lines: [], error: "", parts: [], key: "", actions: [] });
    }
    state = heard(state, changed(calls(["a1", "x", "ran"]), 5));
    expect([...state.details.keys()]).toEqual([keyOf("a1", "y")]);
  });

  it("keeps what was said about a call", () => {
    const state = heard(nothing(), { type: "refused", about: "a.1", line: "no", remedies: ["do"], to: "", actions: [], again: false });
    expect(state.notes.get("a.1")).toEqual({ line: "no", remedies: ["do"], refused: true, actions: [] });
  });

  it("stays small, however long a run goes on", () => {
    let state = heard(nothing(), snapshot(calls(["a1", "x", "ran"])));
    const many = (from: number, count: number): Calls => calls(...Array.from({ length: count }, (_, n): [string, string, string] => ["a1", `c${from + n}`, "ran"]));
    let seq = 5;
    for (let from = 0; !state.gap; from += 10_000) {
      state = heard(state, changed(numbered(many(from, 10_000), from), seq++));
      expect(state.rows.id.length).toBeLessThanOrEqual(ROWS_MAX + 10_000);
    }
    state = heard(state, snapshot(calls(["a1", "y", "ran"]), seq));
    expect([state.gap, state.rows.id]).toEqual([false, ["y"]]);
    for (let n = 0; n < 1_000; n++) state = heard(state, { type: "told", about: `a.${n}`, line: "done", to: "" });
    expect(state.notes.size).toBe(200);
    expect(state.notes.has("a.999")).toBe(true);
  }, 60_000);

  it("ignores messages that it doesn't know", () => {
    const state = nothing();
    expect(heard(state, { type: "newer" } as never)).toBe(state);
  });

  it("counts the calls of the latest attempt of each cell", () => {
    const shown = snapshot(calls(["a1", "x", "ran"], ["a2", "x", "replayed"], ["a2", "y", "ran"]));
    shown.attempts.push({ ...ATTEMPT, id: "a2", start_ms: 5 });
    expect(shares(heard(nothing(), shown))).toEqual([["replayed", 1], ["ran", 1]]);
  });
});
