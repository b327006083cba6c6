import { describe, expect, it } from "vitest";
import type { Snapshot } from "../protocol";
import { at, between, plan } from "./lanes";
import type { Rows } from "./state";

type Call = { id: string; fate?: string; depth?: number; start: number; ms?: number; attempt?: string };

function rows(calls: Call[]): Rows {
  return {
    attempt: calls.map((call) => call.attempt ?? "a"),
    id: calls.map((call) => call.id),
    number: calls.map((_, n) => String(n)),
    name: calls.map(() => "tool"),
    text: calls.map((call) => call.id),
    fate: calls.map((call) => call.fate ?? "ran"),
    depth: calls.map((call) => call.depth ?? 0),
    start: calls.map((call) => call.start),
    ms: calls.map((call) => call.ms ?? 10),
    tokens: calls.map(() => 0),
  };
}

function shown(end: number): Snapshot {
  const attempt = { id: "a", cell: 0, number: 1, fate: "ran", start_ms: 0, end_ms: end, told: "", why: [], error: "", replays_ms: [], calls: 1 };
  const cell = { slot: "s", name: "c", title: "", fate: "ran", last: "", would: "", stale: "", cost_ms: 0, saved: "" };
  return { cells: [cell], attempts: [attempt], kernels: [] } as unknown as Snapshot;
}

describe("the lanes", () => {
  it("puts what ran side by side under each other, what followed behind", () => {
    const calls = rows([{ id: "x", start: 0 }, { id: "y", start: 5 }, { id: "z", start: 11 }]);
    const [row] = plan(shown(30), calls, 500, 0).rows;
    expect([...row!.lane]).toEqual([0, 1, 0]);
    expect(row!.lanes).toBe(2);
  });

  it("puts replayed calls in a band before the call that ran next", () => {
    const calls = rows([{ id: "x", fate: "replayed", start: -900 }, { id: "y", fate: "replayed", start: -800 }, { id: "z", start: 20 }]);
    const [row] = plan(shown(30), calls, 500, 0).rows;
    expect([...row!.call]).toEqual([0, 1, 2]);
    expect(row!.right[1]).toBeLessThanOrEqual(row!.left[2]!);
    expect(row!.right[0]! - row!.left[0]!).toBeGreaterThan(8);
  });

  it("keeps a call within another one in its lane, and finds the one that is meant", () => {
    const calls = rows([{ id: "x", start: 0, ms: 20 }, { id: "in", depth: 1, start: 5, ms: 10 }, { id: "y", start: 2, ms: 20 }]);
    const [row] = plan(shown(30), calls, 500, 0).rows;
    const lane = new Map([...row!.call].map((call, n) => [call, row!.lane[n]]));
    expect(lane.get(1)).toBe(lane.get(0));
    expect(lane.get(2)).not.toBe(lane.get(0));
    const inner = [...row!.call].indexOf(1);
    const middle = (row!.left[inner]! + row!.right[inner]!) / 2;
    expect(row!.call[at(row!, calls, middle, 0, true)]).toBe(1);
    expect(row!.call[at(row!, calls, middle, 0, false)]).toBe(0);
    expect(at(row!, calls, middle, 7, true)).toBe(-1);
  });

  it("gives a call of which only the begin is known room for its sign", () => {
    const [row] = plan(shown(30), rows([{ id: "x", start: 0, ms: 30 }, { id: "y", fate: "in doubt", start: 30, ms: 0 }]), 500, 0).rows;
    expect(row!.right[1]! - row!.left[1]!).toBeGreaterThan(15);
  });

  it("finds what can be seen of a hundred thousand calls by looking at few", () => {
    const many = rows(Array.from({ length: 100_000 }, (_, n) => ({ id: `c${n}`, start: n * 2, ms: 3 })));
    const [row] = plan(shown(200_000), many, 1_000, 0).rows;
    const [from, to] = between(row!, 500, 501);
    expect(to - from).toBeLessThan(1_000);
    expect(row!.right[from - 1]).toBeLessThanOrEqual(500);
    expect(row!.left[to]).toBeGreaterThanOrEqual(501);
  });
});
