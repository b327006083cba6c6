// The notebook beside the panel: which of its cells are those of the run, and the way there.

import type { Beside } from "../view/beside";
import type { Cell } from "../protocol";
import type { App, NotebookCell, NotebookPanel } from "./jupyterlab";
import { places, type Written } from "./standing";

/** How long a cell is marked that was gone to. */
const MARKED_MS = 1_600;

export function written(cell: NotebookCell): Written {
  return { id: cell.model.id, text: cell.model.sharedModel.getSource() };
}

export function codeCells(notebook: NotebookPanel): NotebookCell[] {
  return notebook.content.widgets.filter((cell) => cell.model.type === "code");
}

/** A notebook, for the view that is shown beside it. */
export class Neighbour implements Beside {
  private wanted = false;
  private readonly hearers = new Set<() => void>();

  constructor(
    private readonly shell: App["shell"],
    private readonly notebook: NotebookPanel,
  ) {}

  has(cells: Cell[]): boolean[] {
    return this.ids(cells).map(Boolean);
  }

  active(cells: Cell[]): number {
    const { activeCell } = this.notebook.content;
    return activeCell ? this.ids(cells).indexOf(activeCell.model.id) : -1;
  }

  go(cells: Cell[], cell: number): void {
    const { content } = this.notebook;
    const id = this.ids(cells)[cell];
    const place = id ? content.widgets.findIndex((one) => one.model.id === id) : -1;
    if (place < 0) return;
    content.activeCellIndex = place;
    content.deselectAll();
    content.mode = "command";
    this.shell.activateById(this.notebook.id);
    void content.scrollToItem(place, "smart").catch(() => undefined); // another one is wanted by now
    mark(content.widgets[place]!.node);
  }

  wants(): boolean {
    const { wanted } = this;
    this.wanted = false;
    return wanted;
  }

  /** Somebody wants to see the calls of the cell that they are in. */
  want(): void {
    this.wanted = true;
    for (const hear of this.hearers) hear();
  }

  on(hear: () => void): () => void {
    const { activeCellChanged } = this.notebook.content;
    activeCellChanged.connect(hear);
    this.hearers.add(hear);
    return () => {
      activeCellChanged.disconnect(hear);
      this.hearers.delete(hear);
    };
  }

  private ids(cells: Cell[]): string[] {
    return places(cells, codeCells(this.notebook).map(written));
  }
}

function mark(node: HTMLElement): void {
  node.classList.add("nbd-shown");
  window.setTimeout(() => node.classList.remove("nbd-shown"), MARKED_MS);
}
