// What stands above and below the picture: head, what needs you, cells, details.

import type { Cell, Details, Doing, Need, Piece, Reply, Snapshot } from "../protocol";
import { h, held } from "./dom";
import type { Here } from "./beside";
import type { State } from "./state";
import { SIGNS, count, fateClass, thousands } from "./text";
import { valueOf, type More } from "./values";

/** Where what is to be done goes, and what of it isn't answered yet. */
export interface Doings {
  send(said: Doing): void;
  about(reference: string): Doing[];
}

export function sign(fate: string): HTMLElement {
  const told = h("span", { class: `sign ${fateClass(fate)}`, "aria-hidden": "true" }, SIGNS[fate] ?? SIGNS.ran!);
  return told;
}

/** How many calls of the latest attempts were replayed, ran, are in doubt. */
export function share(shares: [string, number][]): Node {
  const told = shares.map(([fate, number]) => `${thousands(number)} ${fate}`);
  const parts = shares.map(([fate, number], n) => {
    const part = h("span", { class: fateClass(fate) }, `${SIGNS[fate] ?? ""} ${told[n]}`);
    part.style.flex = `${number} 1 0`;
    return part;
  });
  return h("div", { class: "share", role: "img", "aria-label": told.join(", ") }, ...parts);
}

export function head({ head: at, kernels }: Snapshot, shares: [string, number][]): Node[] {
  const told = [`run ${at.number}, ${at.told}`, at.kernel === "alive" ? "kernel ok" : ""].filter(Boolean);
  const hero = at.served
    ? h(
        "div",
        { class: "hero" },
        h("b", {}, count(at.served, "call")),
        " replayed, not paid again",
        at.saved && h("p", { class: "soft" }, at.saved),
      )
    : null;
  const stopped = kernels.filter((kernel) => kernel.stopped);
  const last = stopped[stopped.length - 1];
  const more = stopped.length > 1 ? ` · ${count(stopped.length - 1, "earlier stop")}` : "";
  return [
    h(
      "header",
      {},
      h("div", {}, h("h1", { title: at.notebook }, h("bdi", {}, at.title)), h("p", { class: "soft" }, told.join(" · "))),
      hero,
    ),
    ...(shares.length ? [share(shares)] : []),
    ...(last ? [h("p", { class: "told" }, h("span", { class: "stop" }, `${SIGNS.stopped} `), last.stopped + more)] : []),
  ];
}

export function needs(state: State, live: boolean, doings: Doings, open: Open): Node[] {
  const asked = state.shown?.needs ?? [];
  if (!asked.length) return [];
  return [h("h2", {}, `Needs you (${asked.length})`), ...asked.map((need) => needOf(need, state, live, doings, open))];
}

function needOf(need: Need, state: State, live: boolean, doings: Doings, open: Open): Node {
  const known = state.shown?.attempts.some(({ id }) => id === need.attempt);
  const note = state.notes.get(need.reference);
  return h(
    "section",
    { class: "need", tabindex: -1, "data-key": need.reference, "aria-label": `${need.call} ${need.says}` },
    sign(need.fate),
    ...(need.message === "signal" ? asking(need) : [h("code", {}, need.call), h("span", { class: "told" }, ` ${need.says}`)]),
    need.shown && h("pre", { tabindex: 0, "aria-label": "what is shown with the question" }, need.shown),
    ...(live ? [] : [commands(need)]),
    h("div", { class: "say" }, ...(live ? buttons(need, doings) : []), known && more(need, open)),
    note && h("p", { class: note.refused ? "err told" : "told", role: "status" }, note.line),
    ...(note?.remedies ?? []).map((remedy) => h("p", {}, h("code", {}, remedy))),
  );
}

/** A question that may have to be scrolled, characters. */
const LONG = 400;

/** Whoever waits, for what, and the question: the call has the same in it, as code. */
function asking({ reference, says, call, question }: Need): Node[] {
  const [what, ...rest] = says.split(": ");
  const where = reference.replace(/(\.[\d.]+)?(@.*)?$/, "");
  const told = question || rest.join(": ");
  const asked = told && h("p", { class: "asked", tabindex: told.length > LONG ? 0 : null }, told);
  return [h("span", { class: "told", title: call }, `${where} ${what!}${asked ? ":" : ""}`), ...(asked ? [asked] : [])];
}

/** What led to the question: arguments, traceback, attempts. */
function more({ reference, call, attempt, id }: Need, open: Open): HTMLElement {
  return h("button", { click: () => open(attempt, id), "data-key": `${reference} details`, "aria-label": `details: ${call}` }, "details");
}

function buttons(need: Need, doings: Doings): HTMLElement[] {
  const made: HTMLElement[] = [];
  const sent = doings.about(need.reference)[0];
  const answer = (reply: Reply, text: string): void => doings.send(replied(need, reply, text));
  const button = (reply: Reply, click: () => void, key: string): HTMLElement => {
    const going = sent !== undefined && meant(sent, reply);
    const props = { ...held(Boolean(sent), click), "aria-busy": going ? "true" : null, "data-key": key, title: reply.command };
    return h("button", { ...props, "aria-label": `${reply.means}: ${need.call}` }, going ? "sending…" : reply.means);
  };
  for (const reply of need.replies) {
    const key = `${need.reference} ${reply.means}`;
    if (reply.typed) {
      const field = h("input", { "data-key": `${key} text`, readonly: Boolean(sent), placeholder: "value", "aria-label": `value for ${reply.means}: ${need.call}` });
      const go = (): void => (field.value ? answer(reply, field.value) : field.focus());
      field.addEventListener("keydown", (event) => event.key === "Enter" && !sent && go());
      made.push(field, button(reply, go, key));
    } else {
      made.push(button(reply, () => answer(reply, ""), key));
    }
  }
  return made;
}

/** What a button says to the source. */
export function replied(need: Need, reply: Reply, text = ""): Doing {
  if (need.message === "resolve") return { type: "resolve", call: need.reference, said: reply.said, text };
  return { type: "signal", call: need.reference, text: reply.typed ? text : reply.said };
}

/** Whether what was sent is this reply. */
function meant(sent: Doing, reply: Reply): boolean {
  if (sent.type === "resolve") return sent.said === reply.said;
  return sent.type === "signal" && (reply.typed || sent.text === reply.said);
}

/** Where nobody listens, what to type in the notebook. */
function commands(need: Need): HTMLElement {
  const lines = need.replies.flatMap((reply) => [h("dt", {}, reply.means), h("dd", {}, h("code", {}, reply.command))]);
  return h("dl", {}, ...lines);
}

export function cells(shown: Snapshot, here: Here, open: Open, go: (cell: number) => void): Node[] {
  const latest = new Map<number, string>();
  for (const attempt of shown.attempts) latest.set(attempt.cell, attempt.id);
  const body = shown.cells.map((cell, n) => row(cell, latest.get(n), open, here.active === n, here.has[n] ? (): void => go(n) : null));
  const heads = ["cell", "last", "if you run it"].map((text) => h("th", { scope: "col" }, text));
  return [
    h("h2", {}, "Cells"),
    h(
      "table",
      { class: "cells" },
      h("thead", {}, h("tr", {}, ...heads, h("th", { scope: "col", class: "wide" }, "replay saved"))),
      h("tbody", {}, ...body),
    ),
  ];
}

type Open = (attempt: string, call: string) => void;

function row(cell: Cell, attempt: string | undefined, open: Open, active: boolean, go: (() => void) | null): Node {
  const click = (): void => (attempt ? open(attempt, "") : undefined);
  const cost = cell.cost_ms ? "pay" : cell.would.startsWith("replays") ? "free" : cell.would.startsWith("asks") ? "asks" : "";
  const about = `go to the cell ${cell.name}`;
  return h(
    "tr",
    { class: active ? "here" : "", "aria-current": active ? "true" : null },
    h(
      "td",
      {},
      h(
        "button",
        { class: "plain", click, "data-key": `cell ${cell.slot}`, title: cell.title },
        cell.stale ? h("span", { class: "sign stale", "aria-hidden": "true" }, "~") : sign(cell.fate),
        h("span", { class: "hidden" }, `${active ? "you are here, " : ""}${cell.stale ? "stale, " : ""}${cell.fate}: `),
        h("span", { class: "name" }, h("bdi", {}, cell.name)),
      ),
      go && h("button", { class: "plain go", click: go, "data-key": `go ${cell.slot}`, "aria-label": about, title: about }, "⇥"),
    ),
    h("td", {}, cell.stale ? h("span", { class: "stale told" }, `stale: ${cell.stale}`) : null, cell.stale ? h("p", { class: "soft" }, cell.last) : cell.last),
    h("td", { class: cost }, cell.would),
    h("td", { class: "wide soft" }, cell.saved.replace(/^saved /, "")),
  );
}

export function details(found: Details | undefined, piece: (part: string) => Piece | undefined, more: More, can: (HTMLElement | null)[], close: () => void): Node[] {
  const shut = h("button", { class: "close", click: close, "aria-label": "close the details", "data-key": "close" }, "✕");
  if (!found) return [h("p", { class: "soft" }, "…"), shut];
  const made = [
    h("h3", {}, h("bdi", {}, found.title)),
    shut,
    ...found.lines.map((line) => h("p", { class: "told soft" }, line)),
    found.error ? h("p", { class: "told err" }, found.error) : null,
    ...can,
    ...found.parts.flatMap((part) => valueOf(part, piece(part.title), more)),
    found.key ? h("p", { class: "soft told" }, "key ", h("code", {}, found.key)) : null,
  ];
  return made.filter((one): one is NonNullable<typeof one> => one !== null);
}
