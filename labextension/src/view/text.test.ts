import { expect, it } from "vitest";
import { clock, count, duration, fateClass, plainly } from "./text";

it("tells how long something took", () => {
  const told = [0, 12.4, 999, 1_200, 9_960, 61_000, 150_000, 3_600_000, 5_400_000].map(duration);
  expect(told).toEqual(["0 ms", "12 ms", "999 ms", "1.2 s", "10 s", "61 s", "3 min", "1 h", "1 h 30 min"]);
});

it("counts", () => {
  expect([count(1, "call"), count(12_345, "call")]).toEqual(["1 call", "12,345 calls"]);
});

it("tells the time of day where the reader is", () => {
  expect(clock(1_789_982_040_000_000, 120)).toBe("11:14:00");
  expect(clock(1_789_982_040_000_000, 0, false)).toBe("09:14");
});

it("makes a class of fates only", () => {
  expect([fateClass("in doubt"), fateClass('"><script>')]).toEqual(["in-doubt", "ran"]);
});

it("lets no name of a file turn anything around", () => {
  expect(plainly("a\u202egnp.ipynb")).toBe("a\ufffdgnp.ipynb");
  expect(plainly("\u05e9\u05dc \u00fc.ipynb")).toBe("\u05e9\u05dc \u00fc.ipynb");
});
