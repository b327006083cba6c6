import { describe, expect, it } from "vitest";
import { between, plan } from "./lanes";
import { rows, shown } from "./lanes.test.help";
import { extend } from "./more";

describe("calls that came behind a plan", () => {
  it("stand at the end of the line, in the lane that they will have, in order", () => {
    const first = [{ id: "x", start: 0 }, { id: "y", start: 5 }, { id: "z", start: 11 }];
    const made = plan(shown(30), rows(first), 500, 0);
    const now = rows([...first, { id: "late", start: 40 }, { id: "beside", start: 41, ms: 3 }]);
    extend(made, shown(30), now);
    const [row] = made.rows;
    expect([...row!.call.slice(3)]).toEqual([3, 4]);
    expect([...row!.lane.slice(3)]).toEqual([0, 1]);
    expect([...row!.left]).toEqual([...row!.left].sort((a, b) => a - b));
    expect(Math.max(...row!.right)).toBeLessThanOrEqual(500);
    expect(between(row!, 490, 500)[1]).toBe(5);
    expect(made.counted).toBe(5);
    extend(made, shown(30), now);
    expect(row!.call.length).toBe(5);
  });

  it("are left to the next plan where they are within a call, or of no attempt that is known", () => {
    const first = [{ id: "x", start: 0 }];
    const made = plan(shown(30), rows(first), 500, 0);
    const now = rows([...first, { id: "in", depth: 1, start: 5 }, { id: "lost", start: 6 }]);
    now.words.push("b");
    now.attempt[2] = 2;
    extend(made, shown(30), now);
    expect([...made.rows[0]!.call]).toEqual([0]);
  });
});
