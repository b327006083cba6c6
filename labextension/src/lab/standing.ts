// Which cell of a notebook is which cell of a run, and how it stands, in a few words. Pure.

import type { Cell } from "../protocol";
import { SIGNS, duration } from "../view/text";

/** A cell of a notebook, as far as a run knows it. */
export interface Written {
  id: string;
  text: string;
}

/** How a cell stands, to be shown beside it. */
export interface Badge {
  /** One of the fates, `stale` or `edited`; what it looks like hangs on that. */
  kind: string;
  sign: string;
  text: string;
}

const MARK = /^\s*(?:%%durable(?![\w?])|#[ \t]*durable[ \t]*:)(.*)/;

/** The name that a cell gives itself in its first line, or "". */
export function nameIn(text: string): string {
  const words = (MARK.exec(text)?.[1] ?? "").trim().split(/\s+/);
  return words.find((word, n) => !word.startsWith("-") && words[n - 1] !== "--timeout") ?? "";
}

/**
 * For each cell of the run the cell of the notebook: that of its id; where the notebook has
 * none such, the one that names itself like it. "" where there is none.
 */
export function places(cells: Cell[], notebook: Written[]): string[] {
  const ids = new Set(notebook.map((cell) => cell.id));
  const known = new Set(cells.map((cell) => cell.cell_id));
  const named = new Map(notebook.filter((cell) => !known.has(cell.id)).map((cell) => [nameIn(cell.text), cell.id]));
  return cells.map((cell) => (ids.has(cell.cell_id) ? cell.cell_id : ((cell.name && named.get(cell.name)) || "")));
}

const FEW_MS = 100;

/** What a cell says of itself: how it stands, and what it would do if it were run now. */
export function badge(cell: Cell, text: string): Badge {
  const took = cell.took_ms >= FEW_MS ? `, last took ${duration(cell.took_ms)}` : "";
  const made = (kind: string, told: string): Badge => ({ kind, sign: SIGNS[kind] ?? "~", text: told });
  if (cell.fate === "running") return made("running", `running: ${cell.last.replace(/^running, /, "")}`);
  if (cell.fate === "waiting") return made("waiting", "waits for your answer");
  if (cell.fate === "in doubt" || cell.would.startsWith("asks")) return made("in doubt", "in doubt: a call may have happened");
  if (cell.stale) return made("stale", `stale because ${cell.stale} · will run${took}`);
  if (edited(cell, text)) return made("edited", `edited · will run unless only comments changed${took}`);
  if (cell.fate === "ran") return made("ran", `fresh · ${cell.last} · ${cell.would}`);
  if (cell.fate === "replayed") return made("replayed", `${cell.last} · ${cell.would}`);
  return made(cell.fate, `${cell.last} · ${cell.would}`);
}

/** Whether a cell's text is another one than that which ran. */
function edited(cell: Cell, text: string): boolean {
  return cell.written !== 0 && cell.written !== crc32(text);
}

/** CRC-32 of a text as UTF-8, as `zlib.crc32` has it. */
export function crc32(text: string): number {
  let rest = -1;
  for (const byte of new TextEncoder().encode(text)) {
    rest ^= byte;
    for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0);
  }
  return ~rest >>> 0;
}
