import { describe, expect, it } from "vitest";
import { busy, order } from "./spans";

const floats = (values: number[]): Float64Array => Float64Array.from(values);

describe("when something ran", () => {
  it("keeps every call of a small run", () => {
    expect(busy(floats([0, 2]), floats([3, 4]))).toEqual([
      { start: 0, end: 3, quiet: false },
      { start: 2, end: 4, quiet: false },
    ]);
  });

  it("gathers the calls of a large one, and keeps its longest pauses", () => {
    const starts = Array.from({ length: 9_000 }, (_, n) => n * 2 + (n >= 5_000 ? 1e6 : 0));
    const found = busy(floats(starts), floats(starts.map((start) => start + 1)));
    expect(found.length).toBeLessThan(9_001);
    expect(found.find((span) => span.start === 1_010_000)).toBeDefined();
    const overlapping = busy(floats(starts), floats(starts.map((start) => start + 3)));
    expect(overlapping.map((span) => span.start)).toEqual([0, 1_010_000]);
    expect(overlapping[1]!.end).toBe(starts[8_999]! + 3);
  });

  it("covers every call, whatever the order in which they come", () => {
    const starts = Array.from({ length: 3_000 }, (_, n) => (n * 7_919) % 3_001);
    const found = busy(floats(starts), floats(starts.map((start) => start + 0.5)));
    for (const start of starts) expect(found.some((span) => span.start <= start && start + 0.5 <= span.end)).toBe(true);
  });
});

describe("an order", () => {
  it("is the one that sorting gives, whether the values are nearly in order or not at all", () => {
    for (const make of [(n: number) => n + (n % 3) * 2, (n: number) => (n * 7_919) % 1_009]) {
      const values = floats(Array.from({ length: 1_000 }, (_, n) => make(n)));
      const found = Array.from(order(values), (place) => values[place]!);
      expect(found).toEqual([...values].sort((one, other) => one - other));
    }
  });
});
