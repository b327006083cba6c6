// The notebook that a view stands beside, where there is one: its cells can be gone to, and
// the cell that somebody is in is marked among those of the run.

import type { Cell } from "../protocol";

export interface Beside {
  /** Which of these cells the notebook has. */
  has(cells: Cell[]): boolean[];
  /** The place among these cells of the one that somebody is in, or -1. */
  active(cells: Cell[]): number;
  /** Bring a cell into sight and go there. */
  go(cells: Cell[], cell: number): void;
  /** Whether somebody wants to see the calls of the cell that they are in; asked once. */
  wants(): boolean;
  /** Be called when another cell is active, or is wanted; what is returned ends it. */
  on(hear: () => void): () => void;
}

/** Where somebody is, told for the cells of a run. */
export interface Here {
  cells: Cell[];
  has: boolean[];
  active: number;
}

export function hereOf(beside: Beside | undefined, cells: Cell[]): Here {
  return { cells, has: beside?.has(cells) ?? [], active: beside?.active(cells) ?? -1 };
}
