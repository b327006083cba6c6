// The runs of the store as a list that people search; a click shows another run.

import type { Find, RunLine, Runs, Snapshot } from "../protocol";
import { fill, h } from "./dom";
import { SIGNS, count } from "./text";

/** How long after the last key the store is asked, milliseconds. */
const TYPED_MS = 200;
/** How long a source's list may be old: what just happened stands in one that is asked for then. */
const FRESH_MS = 2_500;
/** How soon it is asked again where runs are still to be read: others are answered meanwhile. */
const UNREAD_MS = 50;
const STATUSES = ["running", "waiting", "error", "stopped", "open", "closed"];
const FATE: Record<string, string> = { open: "ran", closed: "ran" };

type Field = "text" | "status" | "tool" | "model" | "call" | "tag";

export class RunsPane {
  readonly element: HTMLDetailsElement;
  private readonly found = h("div", { "aria-live": "polite" });
  private readonly asked: Find = { type: "find" };
  private readonly here = h("input", { type: "checkbox", "data-key": "runs here" });
  private notebook = "";
  private stands = "";
  private later = 0;
  private heard: Runs | null = null;

  constructor(
    private readonly send: (find: Find) => void,
    private readonly show: (run: string) => void,
  ) {
    const status = h("select", { "aria-label": "status", "data-key": "runs status" }, h("option", { value: "" }, "any status"));
    for (const word of STATUSES) status.append(h("option", { value: word }, word));
    status.addEventListener("change", () => this.narrow("status", status.value));
    this.here.addEventListener("change", () => this.ask(0));
    const fields = (["text", "tag", "tool", "model", "call"] as const).map((name) => this.field(name));
    const all = h("label", {}, this.here, " this notebook only");
    this.element = h("details", { class: "runs" }, h("summary", {}, "Runs"), h("div", { class: "search", role: "search" }, fields[0]!, status, ...fields.slice(1), all), this.found);
    this.element.addEventListener("toggle", () => this.element.open && this.ask(0));
  }

  /** The run that is shown: what «this notebook» is, and that the list may be otherwise by now. */
  about({ head, needs, cells }: Snapshot): void {
    const stands = [head.id, ...needs.map((need) => need.reference), ...cells.map((cell) => cell.fate)].join(" ");
    if (this.stands && this.stands !== stands && this.heard && !this.later) this.askLater(this.heard.start, FRESH_MS);
    this.notebook = head.notebook;
    this.stands = stands;
  }

  hear(runs: Runs | null): void {
    if (runs !== this.heard && runs?.unread && !this.later) this.askLater(runs.start, UNREAD_MS);
    this.heard = runs;
    fill(this.found, runs, () => (runs ? this.listed(runs) : []));
  }

  private field(name: Exclude<Field, "status">): HTMLElement {
    const told = { text: "notebook, cell or «run 3»", tag: "tag of a cell", tool: "tool", model: "model", call: "text of a call" }[name];
    const field = h("input", { type: "search", placeholder: told, "aria-label": told, "data-key": `runs ${name}` });
    field.addEventListener("input", () => this.narrow(name, field.value));
    return field;
  }

  private narrow(name: Field, value: string): void {
    this.asked[name] = value;
    this.askLater(0, TYPED_MS);
  }

  private askLater(start: number, ms: number): void {
    window.clearTimeout(this.later);
    this.later = window.setTimeout(() => {
      this.later = 0;
      if (this.element.open && this.element.isConnected) this.ask(start);
    }, ms);
  }

  private ask(start: number): void {
    this.send({ ...this.asked, start, notebook: this.here.checked ? this.notebook : "" });
  }

  private listed(runs: Runs): Node[] {
    const { start, total } = runs;
    if (!total) return [h("p", { class: "soft" }, runs.unread ? `None yet · ${runs.note}` : "No run fits. Clear a field to see more.")];
    const last = start + runs.runs.length;
    const pages = [
      h("button", { "data-key": "runs before", disabled: !start, click: () => this.ask(Math.max(0, start - runs.runs.length || 0)) }, "‹ later runs"),
      h("button", { "data-key": "runs after", disabled: last >= total, click: () => this.ask(last) }, "earlier runs ›"),
    ];
    return [
      h("p", { class: "soft" }, count(total, "run"), runs.note && ` · ${runs.note}`),
      h("ul", {}, ...runs.runs.map((run) => h("li", {}, this.line(run)))),
      ...(last < total || start ? [h("p", { class: "pager" }, ...pages, h("span", { class: "soft" }, `${start + 1}–${last}`))] : []),
    ];
  }

  private line(run: RunLine): HTMLElement {
    const fate = FATE[run.status] ?? run.status;
    const told = [run.told, `since ${run.since}`, `used ${run.active}`, run.pinned ? "pinned" : ""].filter(Boolean).join(" · ");
    return h(
      "button",
      { class: "plain", "data-key": `run ${run.id}`, "aria-current": run.shown, click: () => this.show(run.id) },
      h("span", { class: `sign ${fate}`, "aria-hidden": "true" }, SIGNS[fate] ?? "▮"),
      h("span", {}, h("b", {}, h("bdi", {}, run.notebook.split("/").pop() ?? ""), ` run ${run.number}`), run.shown ? " (shown)" : "", h("span", { class: "soft" }, ` ${told}`), h("span", { class: "soft cut" }, [...run.cells, ...(run.tags ?? []).map((tag) => `#${tag}`)].join(", "))),
    );
  }
}
