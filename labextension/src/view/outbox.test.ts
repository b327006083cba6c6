import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Doing, Message } from "../protocol";
import { Outbox } from "./outbox";

const YES: Doing = { type: "signal", call: "review.1@3fa2", text: "yes" };
const FORK: Doing = { type: "act", what: "fork", about: "review" };

function told(said: Doing): Message {
  return { type: "told", about: "review.1@3fa2", line: "answered", to: said.ask ?? "" };
}

describe("what is to be done", () => {
  let way = true;
  const went: Doing[] = [];
  const heard: Message[] = [];
  const go = (said: Doing): boolean => {
    if (way) went.push(said);
    return way;
  };

  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("window", globalThis);
    way = true;
    went.length = heard.length = 0;
  });

  afterEach(() => void vi.useRealTimers());

  const outbox = (): Outbox => new Outbox(go, (message) => heard.push(message));

  it("goes at once, and is over when it is answered", () => {
    const box = outbox();
    box.send(YES);
    expect(box.about("review.1@3fa2")).toHaveLength(1);
    box.answered(told(went[0]!));
    expect(box.about("review.1@3fa2")).toHaveLength(0);
    vi.advanceTimersByTime(120_000);
    expect([went.length, heard.length]).toEqual([1, 0]);
  });

  it("waits for a way, and goes when there is one", () => {
    way = false;
    const box = outbox();
    box.send(YES);
    expect(went).toEqual([]);
    way = true;
    box.flush();
    expect(went).toHaveLength(1);
  });

  it("goes again, by the same name, until it is answered", () => {
    const box = outbox();
    box.send(YES);
    vi.advanceTimersByTime(4_000);
    expect(went).toHaveLength(2);
    expect(went[0]!.ask).toBe(went[1]!.ask);
    box.answered(told(went[1]!));
    vi.advanceTimersByTime(120_000);
    expect(went).toHaveLength(2);
  });

  it("says after a minute that nobody answered, or that there was no way", () => {
    const box = outbox();
    box.send(YES);
    vi.advanceTimersByTime(60_000);
    expect(heard).toMatchObject([{ type: "refused", about: "review.1@3fa2", line: expect.stringContaining("Nobody answered") }]);
    expect(box.about("review.1@3fa2")).toHaveLength(0);
    way = false;
    box.send(YES);
    vi.advanceTimersByTime(60_000);
    expect(heard[1]).toMatchObject({ line: expect.stringContaining("was not sent") });
  });

  it("asks no new kernel for what the one before may have done, but answers go on", () => {
    const box = outbox();
    box.send(FORK);
    box.send(YES);
    box.ended();
    expect(heard).toMatchObject([{ about: "review", line: expect.stringContaining("kernel ended") }]);
    went.length = 0;
    box.flush();
    expect(went).toMatchObject([YES]);
  });

  it("sends a click that had no way to the next kernel, whatever it is", () => {
    way = false;
    const box = outbox();
    box.send(FORK);
    box.ended();
    way = true;
    box.flush();
    expect(went).toMatchObject([FORK]);
  });

  it("tells whoever clicked what came of it", () => {
    const box = outbox();
    const answers: Message[] = [];
    box.send(YES, (answer) => answers.push(answer));
    box.answered(told(went[0]!));
    expect(answers).toMatchObject([{ type: "told" }]);
  });
});
