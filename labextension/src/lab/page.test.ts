import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

describe("a window", () => {
  const kept = new Map<string, string>();
  const load = async (how: string): Promise<string> => {
    vi.resetModules();
    vi.stubGlobal("performance", { getEntriesByType: () => [{ type: how }] });
    return (await import("./page")).page();
  };

  beforeEach(() => {
    kept.clear();
    vi.stubGlobal("sessionStorage", { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, name: string) => kept.set(key, name) });
  });

  afterEach(() => void vi.unstubAllGlobals());

  it("has its name still when it was loaded anew, and a copy of it has another one", async () => {
    const first = await load("navigate");
    expect(await load("reload")).toBe(first);
    expect(await load("navigate")).not.toBe(first);
  });

  it("has a name where nothing may be kept", async () => {
    const denied = (): never => {
      throw new Error("Access is denied for this document.");
    };
    vi.stubGlobal("sessionStorage", { getItem: denied, setItem: denied });
    expect(await load("reload")).toMatch(/\d/);
  });
});
