// All calls as a list of which only the visible part is in the page: the picture as text.

import { h } from "./dom";
import { sign } from "./parts";
import { fateOf, type State } from "./state";
import { count, duration } from "./text";

const ROW = 26;
const SPARE = 6;
/** The list where it is longer than this, pixels. */
const TALL = 286;
/** Browsers don't lay out taller boxes; places in longer lists are scaled. */
const TALL_MAX = 8_000_000;

export class List {
  readonly element: HTMLDetailsElement;
  private readonly title = h("summary");
  private readonly tall = h("div", { "aria-hidden": "true" });
  private readonly scroller: HTMLElement;
  private state: State | null = null;
  private chosen = -1;
  /** The cell that somebody is in, and the cell of each attempt, by its word. */
  private active = -1;
  private cells: number[] = [];
  private asked = 0;

  constructor(
    private readonly choose: (call: number) => void,
    older: () => void,
  ) {
    this.scroller = h("div", { class: "list", role: "list", tabindex: 0, "aria-label": "all calls" }, this.tall);
    this.scroller.addEventListener("scroll", () => this.draw());
    const more = h("button", { click: older, class: "older" }, "older calls");
    this.element = h("details", { hidden: true }, this.title, this.scroller, more);
    this.element.addEventListener("toggle", () => this.draw());
  }

  show(state: State, active = -1): void {
    this.state = state;
    this.active = active;
    const cells = new Map(active < 0 ? [] : (state.shown?.attempts ?? []).map((attempt) => [attempt.id, attempt.cell]));
    this.cells = active < 0 ? [] : state.rows.words.map((word) => cells.get(word) ?? -1);
    const total = state.rows.id.length;
    this.title.textContent = `${total === 1 ? "The call" : `All ${count(total, "call")}`} as a list`;
    this.element.hidden = !total;
    this.scroller.style.height = `${Math.min(TALL, Math.max(2, total) * ROW + 2)}px`;
    this.tall.style.height = `${Math.min(TALL_MAX, total * ROW)}px`;
    const more = this.element.querySelector<HTMLElement>(".older");
    if (more) {
      more.hidden = !state.leftOut;
      more.textContent = `${count(state.leftOut, "older call")}`;
    }
    this.draw();
  }

  mark(call: number): void {
    this.chosen = call;
    this.draw();
  }

  private draw(): void {
    cancelAnimationFrame(this.asked);
    if (this.element.open) this.asked = requestAnimationFrame(() => this.now());
  }

  private now(): void {
    const rows = this.state?.rows;
    if (!rows) return;
    const total = rows.id.length;
    const { scrollTop, clientHeight } = this.scroller;
    const tall = Math.min(TALL_MAX, total * ROW);
    const scale = tall > clientHeight ? (total * ROW - clientHeight) / (tall - clientHeight) : 1;
    const top = scrollTop * scale;
    const first = Math.max(0, Math.floor(top / ROW) - SPARE);
    const last = Math.min(total, Math.ceil((top + clientHeight) / ROW) + SPARE);
    const made: Node[] = [this.tall];
    for (let n = first; n < last; n++) made.push(this.row(n, total, n * ROW - top + scrollTop));
    const root = this.scroller.getRootNode() as Document | ShadowRoot;
    const focused = (root.activeElement as HTMLElement | null)?.dataset?.key;
    this.scroller.replaceChildren(...made);
    for (const one of this.scroller.querySelectorAll<HTMLElement>("[data-key]")) {
      if (one.dataset.key === focused) one.focus({ preventScroll: true });
    }
  }

  private row(n: number, total: number, top: number): HTMLElement {
    const rows = this.state!.rows;
    const item = h("div", { role: "listitem", "aria-setsize": total, "aria-posinset": n + 1 });
    const here = this.active >= 0 && this.cells[rows.attempt[n]!] === this.active;
    const made = h(
      "button",
      { class: `row${n === this.chosen ? " on" : ""}${here ? " here" : ""}`, "data-key": `row ${n}`, click: () => this.choose(n) },
      sign(fateOf(rows, n)),
      h("span", { class: "soft ref" }, rows.number[n]!),
      h("code", {}, rows.text[n]!),
      h("span", { class: "soft" }, fateOf(rows, n) === "ran" ? duration(rows.ms[n]!) : fateOf(rows, n)),
    );
    made.style.top = `${top}px`;
    item.append(made);
    return item;
  }
}
