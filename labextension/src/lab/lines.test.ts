import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Need } from "../protocol";
import type { Lab, NotebookPanel, NotebookTracker, SessionContext } from "./jupyterlab";
import { Lines } from "./lines";

const deaf = { connect: () => undefined, disconnect: () => undefined };

/** A notebook's session, which has no kernel. */
function session(): SessionContext {
  const signals = { kernelChanged: deaf, statusChanged: deaf, connectionStatusChanged: deaf, propertyChanged: deaf };
  return { path: "research.ipynb", session: null, ...signals } as unknown as SessionContext;
}

/** A tab with a notebook, as far as lines use it. */
class Tab {
  readonly close: () => void;
  readonly panel: NotebookPanel;

  constructor(readonly sessionContext: SessionContext) {
    const hearers: (() => void)[] = [];
    this.close = () => hearers.forEach((hear) => hear());
    this.panel = { sessionContext, disposed: { connect: (hear: () => void) => hearers.push(hear) } } as unknown as NotebookPanel;
  }
}

const need: Need = { reference: "review.1", message: "signal", fate: "waiting", call: "", says: "", shown: "", question: "", attempt: "", id: "", replies: [] };

function linesOf(...tabs: Tab[]): Lines {
  const tracker = { forEach: (visit: (notebook: NotebookPanel) => void) => tabs.forEach(({ panel }) => visit(panel)), widgetAdded: deaf };
  const makeRequest = (): Promise<unknown> => Promise.resolve({ ok: true, json: () => Promise.resolve({ messages: [] }) });
  const services = { ServerConnection: { makeSettings: () => ({ baseUrl: "/" }), makeRequest } };
  return new Lines(tracker as unknown as NotebookTracker, services as unknown as Lab["services"], () => undefined);
}

describe("the lines of a window", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("window", globalThis);
    vi.stubGlobal("document", Object.assign(new EventTarget(), { hidden: false }));
  });

  afterEach(() => vi.useRealTimers());

  it("are one for two tabs of one notebook, which ask once", () => {
    const context = session();
    const [one, two, other] = [new Tab(context), new Tab(context), new Tab(session())];
    const lines = linesOf(one, two, other);
    expect(lines.of(two.panel)).toBe(lines.of(one.panel));
    expect(lines.of(other.panel)).not.toBe(lines.of(one.panel));
    lines.of(one.panel)!.needs = lines.of(other.panel)!.needs = [need];
    expect(lines.asked().map(({ notebook }) => notebook)).toEqual([one.panel, other.panel]);
    [one, two, other].forEach((tab) => tab.close());
  });

  it("end with the last tab of their notebook", () => {
    const context = session();
    const [one, two] = [new Tab(context), new Tab(context)];
    const line = linesOf(one, two).of(one.panel)!;
    const closed = vi.spyOn(line, "close");
    one.close();
    expect(closed).not.toHaveBeenCalled();
    two.close();
    expect(closed).toHaveBeenCalledOnce();
  });
});
