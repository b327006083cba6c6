import { describe, expect, it } from "vitest";
import { Axis, lowerBound } from "./axis";

const HOUR = 3_600_000;

describe("the axis", () => {
  it("gives hours of nothing little room", () => {
    const axis = new Axis(
      [
        { start: 0, end: 1_000, quiet: false },
        { start: 8 * HOUR, end: 8 * HOUR + 1_000, quiet: false },
      ],
      [],
      800,
    );
    expect(axis.gaps).toEqual([{ start: 1_000, end: 8 * HOUR }]);
    expect(axis.before(8 * HOUR) - axis.after(1_000)).toBeLessThanOrEqual(40);
    expect(axis.after(8 * HOUR + 1_000)).toBeCloseTo(800, 0);
  });

  it("gives room to what took no time", () => {
    const axis = new Axis([{ start: 0, end: 10, quiet: false }], [{ at: 5, width: 100 }], 500);
    expect(axis.after(5) - axis.before(5)).toBeCloseTo(100);
  });

  it("never goes back, whatever it is given", () => {
    const spans = Array.from({ length: 500 }, (_, n) => ({ start: (n * 7_919) % 1_000, end: (n * 7_919) % 1_000 + (n % 13), quiet: n % 5 === 0 }));
    const axis = new Axis(spans, [{ at: 40, width: 9 }], 300);
    let last = -1;
    for (let at = -5; at < 1_020; at += 3) {
      const place = axis.before(at);
      expect(place).toBeGreaterThanOrEqual(last);
      expect(place).toBeLessThanOrEqual(300.001);
      last = place;
    }
  });

  it("is a line without anything on it", () => {
    expect(new Axis([], [], 100).before(7)).toBe(0);
  });

  it("finds the first place that is not less", () => {
    expect([0, 1, 2, 3, 9].map((value) => lowerBound([1, 2, 2, 5], value))).toEqual([0, 0, 1, 3, 4]);
  });
});
