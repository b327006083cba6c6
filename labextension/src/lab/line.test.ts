import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { VERSION, type Message, type Need, type Request } from "../protocol";
import type { Lab, SessionContext } from "./jupyterlab";
import { Line } from "./line";

/** A host with a notebook, as far as a line uses it; what is sent to its kernel is kept. */
class Desk {
  readonly sent: Request[] = [];
  readonly failed: Message[] = [];
  readonly heard: Message[] = [];
  readonly kernel = {
    id: "k1",
    status: "idle",
    connectionStatus: "connected",
    info: Promise.resolve({}),
    createComm: () => this.comm(),
  };
  private readonly signals = new Map<string, Set<(_: unknown, args: unknown) => void>>();
  readonly context = {
    path: "a/research.ipynb",
    session: { kernel: this.kernel },
    kernelChanged: this.signal("kernel"),
    statusChanged: this.signal("status"),
    connectionStatusChanged: this.signal("connection"),
    propertyChanged: this.signal("property"),
  };
  private last: { onMsg: (message: { content: { data: unknown } }) => void } | null = null;
  readonly line: Line;
  readonly hear = (message: unknown): void => void this.heard.push(message as Message);
  /** What the server says. */
  answer: (said: Request | null) => Message[] = () => [];

  constructor() {
    const makeRequest = (_: string, { body }: { body: string }): Promise<unknown> => {
      const messages = this.answer((JSON.parse(body) as { said: Request | null }).said);
      return Promise.resolve({ ok: true, status: 200, json: () => Promise.resolve({ messages }) });
    };
    const services = {
      KernelMessage: { createMessage: (message: unknown) => message },
      ServerConnection: { makeSettings: () => ({ baseUrl: "/" }), makeRequest },
    };
    const failed = (answer: Message): void => void this.failed.push(answer);
    this.line = new Line(this.context as unknown as SessionContext, services as unknown as Lab["services"], () => undefined, failed);
  }

  /** What the kernel says. */
  tell(...messages: Message[]): void {
    for (const data of messages) this.last!.onMsg({ content: { data } });
  }

  emit(name: string, args: unknown): void {
    for (const hear of this.signals.get(name)!) hear(null, args);
  }

  /** What somebody looks at the panel asks. */
  open(run = ""): void {
    this.line.send({ type: "open", version: VERSION, run });
  }

  private comm(): unknown {
    const comm = {
      isDisposed: false,
      onMsg: () => undefined,
      onClose: () => undefined,
      open: () => undefined,
      send: (data: Request) => void this.sent.push(data),
      close: () => void (comm.isDisposed = true),
      dispose: () => void (comm.isDisposed = true),
    };
    return (this.last = comm);
  }

  private signal(name: string): unknown {
    const hearers = new Set<(_: unknown, args: unknown) => void>();
    this.signals.set(name, hearers);
    return { connect: (hear: () => void) => hearers.add(hear), disconnect: (hear: () => void) => hearers.delete(hear) };
  }
}

const need = (reference: string): Need => ({ reference, message: "signal", fate: "waiting", call: "", says: "", shown: "", question: "", attempt: "", id: "", replies: [] });

function snapshot(id: string, more: { kernel?: string; needs?: Need[]; kept?: string[] } = {}): Message {
  const { kernel = "alive", needs = [], kept = [] } = more;
  return { type: "snapshot", head: { id, kernel }, needs, kept, cells: [] } as unknown as Message;
}

const references = (line: Line): string[] => line.needs.map(({ reference }) => reference);
const told = (to: string, line = "asked for"): Message => ({ type: "told", about: "", line, to });
const refused = (to: string): Message => ({ type: "refused", about: "", line: "a cell is running", remedies: [], to, actions: [], again: false });
const refusedAnew: Message = { type: "refused", about: "", line: "not known", remedies: [], to: "", actions: [], again: true };

describe("a line", () => {
  let desk: Desk;

  beforeEach(async () => {
    vi.useFakeTimers();
    vi.stubGlobal("window", globalThis);
    vi.stubGlobal("document", Object.assign(new EventTarget(), { hidden: false }));
    vi.stubGlobal("sessionStorage", { getItem: () => null, setItem: () => undefined });
    desk = new Desk();
    desk.line.on("msg:custom", desk.hear);
    await vi.advanceTimersByTimeAsync(1_000);
    desk.open();
  });

  afterEach(() => {
    desk.line.close();
    vi.useRealTimers();
  });

  it("asks for the run that is looked at when the notebook is renamed", () => {
    desk.tell(snapshot("own"));
    desk.open("old");
    desk.tell(snapshot("old"));
    desk.sent.length = 0;
    desk.context.path = "a/new.ipynb";
    desk.emit("property", "path");
    expect(desk.sent).toMatchObject([{ type: "open", run: "old", notebook: "a/new.ipynb" }]);
  });

  it("shows another comm the run that was looked at, before what was clicked there", async () => {
    desk.tell(snapshot("own"));
    desk.open("old");
    desk.tell(snapshot("old"));
    desk.line.outbox.send({ type: "act", what: "pin", run: "old" });
    desk.sent.length = 0;
    await vi.advanceTimersByTimeAsync(6_500);
    expect(desk.sent).toMatchObject([{ type: "open", run: "old" }]);
    desk.tell(snapshot("old"));
    expect(desk.sent[1]).toMatchObject({ type: "act", what: "pin", run: "old" });
  });

  it("counts only what the kernel's own run needs and kept", () => {
    desk.tell(snapshot("own", { needs: [need("q.1")] }));
    desk.open("old");
    desk.tell(snapshot("old", { kernel: "stopped", needs: [need("old.7")], kept: ["x"] }));
    expect([references(desk.line), desk.line.kept]).toEqual([["q.1"], []]);
    desk.open();
    desk.tell(snapshot("next", { needs: [need("q.2")] }));
    expect([references(desk.line), desk.line.own]).toEqual([["q.2"], "next"]);
    desk.tell({ type: "watched", run: "third", needs: [], cells: [] });
    expect([references(desk.line), desk.line.own]).toEqual([[], "third"]);
  });

  it("offers what was kept again when it was not restored, at once or later", () => {
    desk.tell(snapshot("own", { kernel: "stopped", kept: ["x", "y"] }));
    const click = (): string => {
      desk.line.restore();
      desk.line.restore();
      return (desk.sent.at(-1) as { ask: string }).ask;
    };
    desk.sent.length = 0;
    const first = click();
    expect(desk.sent).toMatchObject([{ type: "act", what: "restore", run: "own" }]);
    expect(desk.line.kept).toEqual(["x", "y"]);
    desk.tell(refused(first));
    expect([desk.line.kept, desk.failed.length]).toEqual([["x", "y"], 1]);
    const second = click();
    expect(second).not.toBe(first);
    desk.tell(told(second));
    expect(desk.line.kept).toEqual([]);
    desk.tell(refused(second));
    expect([desk.line.kept, desk.failed.length]).toEqual([["x", "y"], 2]);
    desk.tell(told(click()), snapshot("own", { kernel: "stopped", kept: ["x", "y"] }));
    expect([desk.line.kept, desk.failed.length]).toEqual([[], 2]);
  });

  it("learns without a kernel what needs somebody, when that one comes back to the page", async () => {
    const asked: Request[] = [];
    const answers: Message[][] = [[{ type: "watched", run: "own", needs: [need("q.1")], cells: [] }], [refusedAnew]];
    desk.answer = (said) => {
      if (said) asked.push(said);
      return answers.shift() ?? [{ type: "watched", run: "own", needs: [], cells: [] }];
    };
    desk.line.off("msg:custom", desk.hear);
    desk.kernel.status = "dead";
    desk.emit("status", "dead");
    await vi.advanceTimersByTimeAsync(100);
    expect(references(desk.line)).toEqual(["q.1"]);
    document.dispatchEvent(new Event("visibilitychange"));
    await vi.advanceTimersByTimeAsync(100);
    expect(references(desk.line)).toEqual([]);
    expect(asked).toMatchObject([{ type: "watch" }, { type: "watch" }]);
  });

  it("says when a kernel dies that it isn't known what it did", () => {
    desk.tell(snapshot("own"));
    desk.line.outbox.send({ type: "act", what: "branch", about: "r1" });
    desk.line.outbox.send({ type: "cancel", call: "work" });
    desk.kernel.status = "restarting";
    desk.emit("status", "restarting");
    expect(desk.heard.slice(-2)).toMatchObject([{ line: expect.stringContaining("kernel ended") }, { line: expect.stringContaining("kernel ended") }]);
  });
});
