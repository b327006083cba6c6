import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Rests } from "./rests";

describe("what goes on changing", () => {
  let again = 0;
  let rests: Rests;

  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("window", globalThis);
    again = 0;
    rests = new Rests(() => again++);
  });

  afterEach(() => vi.useRealTimers());

  it("is asked for again at once where answers are quick", () => {
    for (let n = 0; n < 5; n++) {
      expect(rests.allow("a")).toBe(true);
      rests.answered();
    }
  });

  it("is asked for again after a rest where an answer took long, and of its own accord", async () => {
    rests.allow("a");
    await vi.advanceTimersByTimeAsync(300);
    rests.answered();
    for (let n = 0; n < 5; n++) expect(rests.allow("a")).toBe(false);
    await vi.advanceTimersByTimeAsync(2_600);
    expect(again).toBe(0);
    await vi.advanceTimersByTimeAsync(200);
    expect([again, rests.allow("a")]).toEqual([1, true]);
  });

  it("is asked for again where it changed while an answer was awaited", async () => {
    rests.allow("a");
    rests.allow("a");
    rests.answered();
    await vi.advanceTimersByTimeAsync(10);
    expect([again, rests.allow("a")]).toEqual([1, true]);
  });

  it("is not asked for while an answer is awaited, but for what is another thing", async () => {
    expect(rests.allow("a")).toBe(true);
    expect(rests.allow("a")).toBe(false);
    expect(rests.allow("b")).toBe(true);
    rests.allow("b");
    rests.end();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([again, rests.allow("b")]).toEqual([0, true]);
  });
});
