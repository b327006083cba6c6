// Beside each durable cell how it stands and what it would do: what the kernel says of it,
// as a line under the cell's code. Nothing of it is in the notebook's file.

import { h } from "../view/dom";
import { fateClass } from "../view/text";
import type { NotebookCell, NotebookPanel } from "./jupyterlab";
import { codeCells, written } from "./beside";
import type { Line } from "./line";
import { badge, places, type Badge } from "./standing";

/** A cell that prints changes its notebook many times a second. */
const LATER_MS = 150;

export class Badges {
  private readonly drawn = new Map<NotebookCell, HTMLButtonElement>();
  /** Cells that were never in sight, and say when they are. */
  private readonly awaited = new WeakSet<NotebookCell>();
  private later = 0;
  /** Draw soon; what comes until then is seen with it. */
  readonly look = (): void => {
    this.later ||= window.setTimeout(() => {
      this.later = 0;
      this.draw();
    }, LATER_MS);
  };

  constructor(
    private readonly notebook: NotebookPanel,
    private readonly line: Line,
    private readonly wanted: () => boolean,
    private readonly show: (cell: NotebookCell) => void,
  ) {
    notebook.content.modelContentChanged.connect(this.look);
    this.draw();
  }

  close(): void {
    this.notebook.content.modelContentChanged.disconnect(this.look);
    window.clearTimeout(this.later);
    this.clear();
  }

  /** Show what is known now, or nothing where badges are not wanted. */
  private draw(): void {
    const cells = this.wanted() ? this.line.cells : [];
    if (!cells.length) return this.clear();
    const code = codeCells(this.notebook);
    const ids = places(cells, code.map(written));
    const found = new Map(cells.map((cell, n) => [ids[n]!, cell]));
    const gone = new Set(this.drawn.keys());
    for (const one of code) {
      const cell = found.get(one.model.id);
      if (!cell) continue;
      gone.delete(one);
      this.put(one, cell.name, badge(cell, one.model.sharedModel.getSource()));
    }
    gone.forEach((one) => this.drop(one));
  }

  private put(cell: NotebookCell, name: string, { kind, sign, text }: Badge): void {
    let button = this.drawn.get(cell);
    if (!button) {
      button = h("button", { class: "nbd-badge", click: () => this.show(cell) }, h("i", { "aria-hidden": "true" }), h("span", { "aria-hidden": "true" }));
      this.drawn.set(cell, button);
    }
    if (!button.isConnected) this.place(cell, button);
    const about = `${name} is ${text}. Show it in the durable run`;
    if (button.title === about) return;
    button.dataset.kind = kind in KINDS ? kind : fateClass(kind);
    button.title = about;
    button.setAttribute("aria-label", about);
    button.firstElementChild!.textContent = sign;
    button.lastElementChild!.textContent = text;
  }

  /** Under the code; a cell that was never in sight has none yet. */
  private place(cell: NotebookCell, button: HTMLElement): void {
    const code = cell.node.querySelector(":scope > .jp-Cell-inputWrapper");
    if (code) code.after(button);
    else if (!this.awaited.has(cell)) void cell.ready.then(this.look, () => undefined);
    if (!code) this.awaited.add(cell);
  }

  private clear(): void {
    for (const cell of [...this.drawn.keys()]) this.drop(cell);
  }

  private drop(cell: NotebookCell): void {
    this.drawn.get(cell)?.remove();
    this.drawn.delete(cell);
  }
}

const KINDS = { stale: true, edited: true };

const LIGHT = "--nbd-ran:#0072b2;--nbd-replayed:#00805d;--nbd-doubt:#8a5a00;--nbd-error:#c04a00";
const DARK = "--nbd-ran:#3d9bdc;--nbd-replayed:#3fd6a4;--nbd-doubt:#ffc857;--nbd-error:#ff8b4d";

/** For the whole page; each colour has a sign beside it. */
export const STYLE = `
.nbd-badge{${LIGHT};display:block;box-sizing:border-box;height:20px;padding:0 6px;border:0;border-radius:3px;background:none;
margin-inline-start:calc(var(--jp-cell-collapser-width,8px) + var(--jp-cell-prompt-width,64px) + 2px);
max-width:calc(100% - var(--jp-cell-collapser-width,8px) - var(--jp-cell-prompt-width,64px) - 8px);
overflow:hidden;text-overflow:ellipsis;white-space:nowrap;cursor:pointer;text-align:start;unicode-bidi:isolate;
font:12px/20px var(--jp-ui-font-family,system-ui,sans-serif);color:var(--jp-ui-font-color1,CanvasText)}
[data-jp-theme-light=false] .nbd-badge{${DARK}}
.nbd-badge:hover{background:var(--jp-layout-color2,transparent)}
.nbd-badge:focus-visible{outline:2px solid var(--nbd-ran);outline-offset:-1px}
.nbd-badge i{font-style:normal;font-weight:700;display:inline-block;min-width:15px}
.nbd-badge[data-kind=ran] i,.nbd-badge[data-kind=running] i{color:var(--nbd-ran)}
.nbd-badge[data-kind=replayed] i{color:var(--nbd-replayed)}
.nbd-badge:is([data-kind=stale],[data-kind=edited],[data-kind=waiting],[data-kind=in-doubt]) i{color:var(--nbd-doubt)}
.nbd-badge:is([data-kind=error],[data-kind=stopped]) i{color:var(--nbd-error)}
.nbd-shown>.jp-Cell-inputWrapper{outline:2px solid var(--jp-brand-color1,#0072b2);outline-offset:2px}
`;
