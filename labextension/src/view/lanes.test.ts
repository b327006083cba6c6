import { describe, expect, it } from "vitest";
import { at, between, plan } from "./lanes";
import { rows, shown } from "./lanes.test.help";

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

  it("puts calls within a call that ran side by side into strips under each other", () => {
    const calls = rows([
      { id: "x", number: "1", start: 0, ms: 30 },
      { id: "y", number: "2", start: 1, ms: 30 },
      { id: "x1", number: "1.1", depth: 1, start: 2, ms: 10 },
      { id: "x2", number: "1.2", depth: 1, start: 3, ms: 10 },
      { id: "y1", number: "2.1", depth: 1, start: 3, ms: 10 },
    ]);
    const [row] = plan(shown(40), calls, 500, 0).rows;
    const of = (call: number): [number, number] => [row!.lane[row!.call.indexOf(call)]!, row!.strip[row!.call.indexOf(call)]!];
    expect([of(2), of(3), of(4)]).toEqual([[0, 0], [0, 1], [1, 0]]);
  });

  it("gives a call of which only the begin is known room for its sign", () => {
    const [row] = plan(shown(30), rows([{ id: "x", start: 0, ms: 30 }, { id: "y", fate: "in doubt", start: 30, ms: 0 }]), 500, 0).rows;
    expect(row!.right[1]! - row!.left[1]!).toBeGreaterThan(15);
  });

  it("finds what can be seen of a hundred thousand calls by looking at few", () => {
    const many = rows(Array.from({ length: 100_000 }, (_, n) => ({ id: `c${n}`, start: n * 2, ms: 3 })));
    const [row] = plan(shown(200_000), many, 1_000, 0).rows;
    const [from, to] = between(row!, 500, 501);
    expect(to - from).toBeLessThan(2_000);
    expect(row!.right[from - 1]).toBeLessThanOrEqual(500);
    expect(row!.left[to]).toBeGreaterThanOrEqual(501);
  });
});
