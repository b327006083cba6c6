import { expect, it } from "vitest";
import type { Cell } from "../protocol";
import { badge, crc32, nameIn, places } from "./standing";

function cell(more: Partial<Cell> = {}): Cell {
  const made: Cell = {
    slot: "cell a",
    name: "findings",
    title: "",
    fate: "ran",
    last: "30 calls ran",
    would: "replays, free",
    stale: "",
    cost_ms: 0,
    saved: "",
    cell_id: "a",
    took_ms: 1_200_000,
    written: crc32("%%durable findings"),
  };
  return { ...made, ...more };
}

function told(more: Partial<Cell>, text = "%%durable findings"): string {
  const { sign, text: words } = badge(cell(more), text);
  return `${sign} ${words}`;
}

it("tells how a cell stands and what it would do", () => {
  expect(told({})).toBe("▮ fresh · 30 calls ran · replays, free");
  expect(told({ fate: "replayed", last: "replayed whole, 30 calls" })).toBe("↺ replayed whole, 30 calls · replays, free");
  expect(told({ stale: "notes changed" })).toBe("~ stale because notes changed · will run, last took 20 min");
  expect(told({ fate: "in doubt" })).toBe("? in doubt: a call may have happened");
  expect(told({ fate: "stopped", last: "stopped, 1 call ran", would: "asks you first" })).toBe("? in doubt: a call may have happened");
  expect(told({ fate: "waiting" })).toBe("… waits for your answer");
  expect(told({ fate: "running", last: "running, 3 calls ran" })).toBe("▶ running: 3 calls ran");
});

it("sees that a text is not the one that ran", () => {
  expect(told({}, "%%durable findings\n1")).toBe("~ edited · will run unless only comments changed, last took 20 min");
  expect(told({ written: 0 }, "anything")).toContain("fresh");
});

it("has the checksum of zlib", () => {
  expect([crc32(""), crc32("%%durable ä ↺ 😀")]).toEqual([0, 3_415_242_128]);
});

it("reads the name of a cell", () => {
  const texts = ["%%durable findings", "%%durable --quiet --timeout 5m findings --fresh", "# durable: über-sicht", "%%durable", "%%durable?", "x = 1"];
  expect(texts.map(nameIn)).toEqual(["findings", "findings", "über-sicht", "", "", ""]);
});

it("finds a cell by its id, else by its name", () => {
  const notebook = [
    { id: "a", text: "" },
    { id: "new", text: "%%durable review" },
  ];
  const cells = [cell(), cell({ cell_id: "gone", name: "review" }), cell({ cell_id: "", name: "chart" })];
  expect(places(cells, notebook)).toEqual(["a", "new", ""]);
  expect(places([cell({ cell_id: "gone", name: "" })], notebook)).toEqual([""]);
});
