// Calls that began since a plan was made, put at its end until it is made anew. Pure.
//
// A plan of a hundred thousand calls takes a tenth of a second, several times that where
// other programs want the processor, and what happens now is to be seen at once. So new calls get
// bars at the end of the axis as it is, each in the lane that it will have; the next plan puts
// them where they belong. Calls within a call wait for it.

import type { Snapshot } from "../protocol";
import { end, type Lanes, type Plan } from "./lanes";
import type { Rows } from "./state";

/** How many bars back is looked for one that is under way: who has more lanes waits for the plan. */
const BACK = 64;
/** The least that is seen at the end of the line, pixels. */
const SEEN = 2;

/** Put the calls into a plan that came behind it; nothing else of it changes. */
export function extend(plan: Plan, shown: Snapshot, rows: Rows): void {
  const cells = new Map(shown.attempts.map((attempt) => [attempt.id, attempt.cell]));
  const found = new Map<Lanes, number[]>();
  for (let n = plan.counted; n < rows.id.length; n++) {
    const row = plan.rows[cells.get(rows.words[rows.attempt[n]!]!) ?? -1];
    if (!row || rows.depth[n]) continue;
    const mine = found.get(row);
    if (mine) mine.push(n);
    else found.set(row, [n]);
  }
  for (const [row, calls] of found) append(row, calls, plan, rows);
  plan.counted = rows.id.length;
}

function append(row: Lanes, calls: number[], plan: Plan, rows: Rows): void {
  const before = row.call.length;
  const most = before + calls.length;
  row.left = copied(row.left, new Float64Array(most));
  row.right = copied(row.right, new Float64Array(most));
  row.lane = copied(row.lane, new Uint8Array(most));
  row.strip = copied(row.strip, new Uint8Array(most));
  row.call = copied(row.call, new Int32Array(most));
  calls.forEach((call, more) => {
    const n = before + more;
    const least = n ? row.left[n - 1]! : 0;
    row.left[n] = Math.max(least, Math.min(plan.axis.after(rows.start[call]!), plan.width - SEEN));
    row.right[n] = Math.max(row.left[n]! + SEEN, Math.min(plan.axis.before(end(rows, call)), plan.width));
    row.lane[n] = freeLane(row, n, call, rows);
    row.call[n] = call;
    row.widest = Math.max(row.widest, row.right[n]! - row.left[n]!);
  });
}

function copied<T extends Float64Array | Uint8Array | Int32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** The first lane in which nothing is under way when a call begins; the row grows by none. */
function freeLane(row: Lanes, n: number, call: number, rows: Rows): number {
  const taken = new Set<number>();
  for (let at = Math.max(0, n - BACK); at < n; at++) {
    if (end(rows, row.call[at]!) > rows.start[call]!) taken.add(row.lane[at]!);
  }
  let lane = 0;
  while (lane < row.lanes - 1 && taken.has(lane)) lane++;
  return lane;
}
