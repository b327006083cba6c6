import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Cell } from "../protocol";
import { Badges } from "./badges";
import type { NotebookPanel } from "./jupyterlab";
import type { Line } from "./line";

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("window", globalThis);
  const element = (): unknown => ({ append: () => undefined, setAttribute: () => undefined, addEventListener: () => undefined, dataset: {}, title: "" });
  vi.stubGlobal("document", { createElement: () => ({ ...(element() as object), firstElementChild: element(), lastElementChild: element() }) });
});

afterEach(() => void vi.useRealTimers());

it("waits once for a cell that was never in sight, however often it is looked at", async () => {
  let awaited = 0;
  const ready = { then: () => ++awaited };
  const source = { getSource: () => "%%durable findings" };
  const cell = { node: { querySelector: () => null }, ready, model: { id: "a", type: "code", sharedModel: source } };
  const content = { widgets: [cell], modelContentChanged: { connect: () => true } };
  const run = { name: "findings", cell_id: "a", fate: "ran", last: "", would: "", stale: "", took_ms: 0, written: 0 } as Cell;
  const badges = new Badges({ content } as unknown as NotebookPanel, { cells: [run] } as Line, () => true, () => undefined);
  for (let n = 0; n < 20; n++) {
    badges.look();
    await vi.advanceTimersByTimeAsync(200);
  }
  expect(awaited).toBe(1);
});
