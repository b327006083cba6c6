// Buttons for what can be done. What changes something asks first, and says what it costs.

import type { Action, Doing } from "../protocol";
import { h, held } from "./dom";

export type Act = (action: Action) => void;

/** Happens in a view when a question was answered: what came meanwhile can be shown. */
export const SETTLED = "nbd-settled";

/** A row of buttons; one that asks shows its question in the row, with the focus on «not now». */
export function actions(all: Action[], note: { line: string; remedies: string[]; refused: boolean } | undefined, sent: Doing[], act: Act): HTMLElement | null {
  if (!all.length) return null;
  const place = h("div", { class: "act" });
  const said = h("div", { role: "status" });
  if (note) said.append(h("p", { class: note.refused ? "told err" : "told" }, note.line), ...note.remedies.map((remedy) => h("p", {}, h("code", {}, remedy))));
  const buttons = (): Node[] => all.map((action) => button(action, going(action, sent), () => press(action)));
  const press = (action: Action): void => {
    if (action.what === "copy") return copy(action, said);
    if (!action.asks) return act(action);
    place.replaceChildren(...question(action, () => done(action, true), () => done(action, false)));
    place.querySelector<HTMLElement>(".no")?.focus();
  };
  const done = (action: Action, yes: boolean): void => {
    place.replaceChildren(...buttons());
    place.querySelectorAll<HTMLElement>("button")[all.indexOf(action)]?.focus();
    if (yes) act(action);
    place.dispatchEvent(new Event(SETTLED, { bubbles: true }));
  };
  place.append(...buttons());
  return h("div", {}, place, said);
}

function button(action: Action, going: boolean, click: () => void): HTMLElement {
  const props = { ...held(going, click), "aria-busy": going ? "true" : null, "data-key": `act ${action.what} ${action.about}` };
  return h("button", { ...props, title: action.command || action.means }, going ? "sending…" : action.means);
}

/** Whether it was sent, and isn't answered. */
function going(action: Action, sent: Doing[]): boolean {
  return sent.some((one) => (one.type === "act" ? one.what === action.what : one.type === action.what));
}

function question(action: Action, yes: () => void, no: () => void): Node[] {
  const asked = h("div", { class: "asks", role: "alertdialog", "aria-label": `${action.means}: ${action.asks}` }, h("p", { class: "told" }, action.asks));
  asked.append(h("button", { class: "yes", click: yes }, action.means), h("button", { class: "no", click: no }, "not now"));
  asked.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    no();
  });
  return [asked];
}

/** To the clipboard; where that is not allowed, shown and selected. */
function copy(action: Action, place: HTMLElement): void {
  const shown = h("textarea", { readonly: true, rows: 4, "aria-label": "the code, to be copied" });
  shown.value = action.code;
  const told = h("p", { class: "told" }, "Copy it from here:");
  const by = (): void => {
    place.replaceChildren(told, shown);
    shown.select();
  };
  if (!navigator.clipboard) return by();
  navigator.clipboard.writeText(action.code).then(() => place.replaceChildren(h("p", { class: "told" }, "copied")), by);
}

/** Hand a file to the browser, to be saved. */
export function save(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "text/html" }));
  const link = h("a", { href: address, download: name.replace(/[^\w.-]+/g, "-") });
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
