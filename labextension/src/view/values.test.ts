import { describe, expect, it } from "vitest";
import { heard, keyOf, nothing, pieceOf } from "./state";

const piece = { type: "piece" as const, attempt: "a", call: "x", part: "result", start: 20_000, text: "y", chars: 20_001 };

describe("pieces of values", () => {
  it("keeps the latest piece of each part, so that a value of any length takes little room", () => {
    let state = heard(nothing(), { ...piece, start: 0, text: "x".repeat(20_000) });
    state = heard(state, piece);
    expect(pieceOf(state, "a", "x", "result")?.start).toBe(20_000);
    expect(state.pieces.size).toBe(1);
    expect(pieceOf(state, "a", "x", "arguments")).toBeUndefined();
  });

  it("forgets the pieces of a call of which new details come", () => {
    const details = { type: "details" as const, attempt: "a", call: "x", title: "", lines: [], error: "", parts: [], key: "", actions: [] };
    const state = heard(heard(nothing(), piece), details);
    expect(state.details.has(keyOf("a", "x"))).toBe(true);
    expect(pieceOf(state, "a", "x", "result")).toBeUndefined();
  });
});
