// The panel: the view of the notebook in front, or a sentence that says why there is none.

import { fill, h } from "../view/dom";
import type { Host } from "../view";
import type { Beside } from "../view/beside";
import { Neighbour } from "./beside";
import type { App, Lab, NotebookPanel, NotebookTracker, Widget } from "./jupyterlab";
import type { Line } from "./line";
import type { Lines } from "./lines";
import { SENTENCES, type Sentence } from "./sentences";

/** The view as it is loaded: `index.ts` of the view, built for all front ends. */
export interface View {
  render(home: { model: Host; el: HTMLElement }): () => void;
}

/** The panel, and how to show something in it. */
export interface Panel {
  widget: Widget;
  /** Show the calls of the cell that somebody is in. */
  want(notebook: NotebookPanel): void;
  /** Put the focus on the next thing that needs somebody. */
  next(): void;
}

export function panel(lab: Lab, app: App, tracker: NotebookTracker, lines: Lines, load: () => Promise<View>): Panel {
  const home = new Home(app.shell, tracker, lines, load);
  const widget = new (class extends lab.widgets.Widget {
    constructor() {
      super({ node: home.element });
    }

    onAfterShow(): void {
      home.show();
    }

    onAfterHide(): void {
      home.hide();
    }

    onAfterAttach(): void {
      if (this.isVisible) home.show();
    }
  })();
  return { widget, want: (notebook) => home.beside(notebook).want(), next: () => void home.next() };
}

/** What is in the panel. Hidden, it draws nothing and is told nothing. */
class Home {
  readonly element = h("div", { class: "nbd-home" });
  private readonly note = h("div", { class: "nbd-note", role: "status" });
  private readonly offer = h("div", { class: "nbd-note", role: "status" });
  private readonly place = h("div", { class: "nbd-place" });
  private visible = false;
  private shown: NotebookPanel | null = null;
  private end: () => void = () => undefined;
  private readonly neighbours = new WeakMap<NotebookPanel, Neighbour>();

  constructor(
    private readonly shell: App["shell"],
    private readonly tracker: NotebookTracker,
    private readonly lines: Lines,
    private readonly load: () => Promise<View>,
  ) {
    this.element.append(h("style", {}, STYLE), this.note, this.offer, this.place);
    tracker.currentChanged.connect(() => this.follow());
    lines.on(() => this.follow());
  }

  show(): void {
    this.visible = true;
    this.follow();
  }

  hide(): void {
    this.visible = false;
    this.follow();
  }

  /** Show the notebook in front. */
  private follow(): void {
    const front = this.visible ? this.tracker.currentWidget : null;
    const line = this.lines.of(front);
    const notebook = line ? front : null;
    if (notebook !== this.shown) {
      this.end();
      this.end = () => undefined;
      this.shown = notebook;
      if (notebook && line) void this.render(notebook, line);
    }
    this.tell();
  }

  private async render(notebook: NotebookPanel, line: Line): Promise<void> {
    const view = await this.load();
    const model = hosted(line, this.beside(notebook));
    if (this.shown === notebook) this.end = ended(this.place, view.render({ model, el: this.place }));
  }

  beside(notebook: NotebookPanel): Neighbour {
    const made = this.neighbours.get(notebook) ?? new Neighbour(this.shell, notebook);
    this.neighbours.set(notebook, made);
    return made;
  }

  /** A panel that was hidden has nothing in it yet. */
  async next(): Promise<void> {
    for (let n = 0; n < FRAMES_MAX; n++) {
      const needs = [...this.place.querySelectorAll<HTMLElement>(".need")];
      const now = needs.findIndex((need) => need.contains(document.activeElement));
      const button = needs[(now + 1) % needs.length]?.querySelector<HTMLElement>("input, button");
      if (button) return button.focus();
      await new Promise(requestAnimationFrame);
    }
  }

  private tell(): void {
    const line = this.lines.of(this.shown);
    const sentence = SENTENCES[line ? line.standing : "no notebook"];
    this.note.hidden = !sentence;
    this.place.hidden = line?.standing === "not loaded" || !line;
    const kept = line?.standing === "open" ? line.kept : [];
    this.offer.hidden = !kept.length;
    fill(this.offer, kept, () => (line && kept.length ? offered(line, kept) : []));
    fill(this.note, sentence, () => (sentence ? said(sentence) : []));
  }
}

function hosted(line: Line, beside: Beside): Host {
  return {
    beside,
    outbox: line.outbox,
    get: () => undefined,
    send: (request) => line.send(request),
    on: (event, hear) => line.on(event, hear),
    off: (event, hear) => line.off(event, hear),
  };
}

/** For how long something is looked for that is about to be drawn: some seconds. */
const FRAMES_MAX = 200;

function said({ line, then }: Sentence): Node[] {
  return [h("p", {}, line), ...then.map(([why, what]) => h("p", {}, why, " ", h("code", {}, what)))];
}

/** Names that are listed; the view has them all. */
const NAMES_MAX = 8;

function offered(line: Line, kept: string[]): Node[] {
  const names = kept.slice(0, NAMES_MAX).flatMap((name, n) => [n ? ", " : "", h("code", {}, name)]);
  const more = kept.length > NAMES_MAX ? ` and ${kept.length - NAMES_MAX} more` : "";
  const restore = h("button", { click: () => line.restore(), "data-key": "restore" }, "Restore");
  return [h("p", {}, "This kernel is new. The run kept ", ...names, more, "."), h("p", {}, restore, " executes nothing.")];
}

function ended(place: HTMLElement, end: () => void): () => void {
  return () => {
    end();
    place.replaceChildren();
  };
}

const STYLE = `
.nbd-home{height:100%;overflow:auto;padding:10px 12px;background:var(--jp-layout-color1,Canvas);
color:var(--jp-ui-font-color1,CanvasText);font:14px/1.45 var(--jp-ui-font-family,system-ui,sans-serif)}
.nbd-note{border-inline-start:3px solid var(--jp-warn-color0,#8a5a00);padding:2px 10px;margin:0 0 12px}
.nbd-note p{margin:2px 0}
.nbd-note button{font:inherit;color:inherit;background:none;border:1px solid currentColor;border-radius:6px;padding:2px 12px;
cursor:pointer;min-height:28px}
.nbd-note :focus-visible{outline:2px solid #0072b2;outline-offset:1px}
.nbd-note code{overflow-wrap:anywhere}
`;
