import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { VERSION, type Message, type Request } from "../protocol";
import type { Server } from "./jupyterlab";
import { Post } from "./post";

const OPEN: Request = { type: "open", version: VERSION };
const YES: Request = { type: "signal", call: "review.1", text: "yes", ask: "q" };

describe("a notebook without a kernel", () => {
  const asked: unknown[] = [];
  const heard: Message[] = [];
  let reply: Partial<Response> | null = null;
  let post: Post;
  let page: EventTarget & { hidden: boolean };

  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("window", globalThis);
    page = Object.assign(new EventTarget(), { hidden: false });
    vi.stubGlobal("document", page);
    asked.length = heard.length = 0;
    const server = {
      makeSettings: () => ({ baseUrl: "/" }),
      makeRequest: (_: string, { body }: { body: string }) => {
        asked.push((JSON.parse(body) as { said: unknown }).said);
        return reply ? Promise.resolve(reply) : Promise.reject(new Error("no network"));
      },
    };
    post = new Post(server as unknown as Server, () => "a.ipynb", (message) => heard.push(message));
  });

  afterEach(() => {
    post.close();
    vi.useRealTimers();
  });

  it.each([null, { ok: false, status: 502 }, { ok: false, status: 429 }, { ok: true, status: 200, json: () => Promise.reject(new Error("<html>")) }])(
    "gives no click up while the server is busy, broken or away: %o",
    async (answer) => {
      reply = answer;
      post.send(YES);
      await vi.advanceTimersByTimeAsync(10);
      expect(heard).toEqual([]);
    },
  );

  it.each([
    [401, "log in again"],
    [403, "log in again"],
    [404, "jupyter server extension enable"],
  ])("says what a click that was refused with %i needs", async (status, remedy) => {
    reply = { ok: false, status };
    post.send(YES);
    await vi.advanceTimersByTimeAsync(10);
    expect(heard).toMatchObject([{ type: "refused", to: "q", about: "review.1", remedies: [expect.stringContaining(remedy)] }]);
  });

  it("is asked for what changed while somebody looks, and costs nothing while nobody does", async () => {
    reply = { ok: true, status: 200, json: () => Promise.resolve({ messages: [] }) };
    post.send(OPEN);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked).toHaveLength(6);
    asked.length = 0;
    post.send({ type: "watch", version: VERSION });
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(asked).toMatchObject([{ type: "watch" }]);
  });

  it("is asked again when somebody comes back to the page, until it is closed", async () => {
    reply = { ok: true, status: 200, json: () => Promise.resolve({ messages: [] }) };
    post.send({ type: "watch", version: VERSION });
    for (const hidden of [true, false]) {
      page.hidden = hidden;
      page.dispatchEvent(new Event("visibilitychange"));
    }
    await vi.advanceTimersByTimeAsync(10);
    expect(asked).toMatchObject([{ type: "watch" }, null]);
    post.close();
    page.dispatchEvent(new Event("visibilitychange"));
    expect(asked).toHaveLength(2);
  });
});
