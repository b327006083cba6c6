// The view of a run: one component for every front end (anywidget's front-end module).
//
// It knows the protocol and nothing else: whoever hosts it hands messages over.

import { VERSION, type Action, type Attempt, type Details, type Message, type Piece, type Request } from "../protocol";
import { SETTLED, actions, save } from "./actions";
import { hereOf, type Beside, type Here } from "./beside";
import { fill, h } from "./dom";
import { List } from "./list";
import { Outbox } from "./outbox";
import { cells, details, head, needs, type Doings } from "./parts";
import { Picture } from "./picture";
import { Rests } from "./rests";
import { attemptOf, heard, keyOf, nothing, pieceOf, shares, type State } from "./state";
import { RunsPane } from "./runs";
import { STYLE } from "./style";
import type { More } from "./values";

/** What a host has to offer: anywidget's model is one. */
export interface Host {
  get(name: string): unknown;
  send(request: Request): void;
  /** Keeps what is to be done until it is answered; a view makes its own where there is none. */
  readonly outbox?: Outbox;
  on(event: string, hear: (message: unknown) => void): void;
  off(event: string, hear: (message: unknown) => void): void;
  /** The notebook that the view stands beside, if it does. */
  readonly beside?: Beside;
}

/**
 * How long until a view asks again. A front end sends what is said at first to the shell that
 * may be blocked by a cell, and through a subshell only when it has one.
 */
const AGAIN_MS = 2_000;

/** Calls of a run that takes a kernel its time to tell, and how often it is asked to at most. */
const LARGE = 2_000;
const PAUSE_MS = 10_000;

/** After how many questions without an answer a view says what can be the matter. */
const SILENT = 3;
const NOBODY =
  "Nobody answers yet. If a cell is running, the run is shown when it ends. If the kernel was restarted, run nd.view() again.";

const ABSENT = "The cell that you are in has no step in this run yet. Run it with %%durable in its first line.";

function render({ model, el }: { model: Host; el: HTMLElement }): () => void {
  const view = new View(model);
  el.append(view.element);
  return view.start();
}

class View {
  readonly element = h("div", { class: "nbd", role: "region", tabindex: -1, "aria-label": "timeline of the run" });
  private state: State = nothing();
  private chosen: { attempt: string; call: string } | null = null;
  private readonly note = h("p", { class: "told", role: "status" });
  /** What to type where the view can't be answered. */
  private readonly ways = h("div", { class: "ways" });
  private readonly offer = h("div");
  private readonly top = h("div");
  private readonly needs = h("div", { "aria-live": "polite" });
  private readonly cells = h("div");
  private readonly title = h("h2", {}, "Lanes");
  private readonly details = h("div", { class: "details", "aria-live": "polite" });
  private readonly kept = h("div");
  private readonly picture = new Picture(
    (call) => this.choose(call),
    (call) => this.go(cellOf(this.state, attemptOf(this.state.rows, call))),
  );
  private readonly list = new List(
    (call) => this.choose(call),
    () => this.model.send({ type: "older", left_out: this.state.leftOut }),
  );
  private readonly runs = new RunsPane(
    (find) => this.model.send(find),
    (run) => this.turn(run),
  );
  private unanswered = 0;
  private asking = 0;
  private asked = -PAUSE_MS;
  /** Whether the cell that was asked for isn't in the run. */
  private absent = false;
  private readonly said = h("p", { class: "hidden", role: "status" });
  private silent = false;
  /** Id of the run that is looked at, or "" for the one of the source. */
  private run = "";
  private readonly live: boolean;
  private readonly outbox: Outbox;
  /** What is to be done goes to the run that is looked at, whatever its source shows by then. */
  private readonly doings: Doings = {
    send: (said) => void this.outbox.send({ ...said, run: this.shown }),
    about: (reference) => this.outbox.about(reference).filter(({ run }) => (run ?? "") === this.shown),
  };
  /** The details that were asked for; they aren't asked for again before something happens. */
  private awaited = "";
  private readonly rests = new Rests(() => this.askAnew());
  /** The details that are drawn: they stay until newer ones are there. */
  private drawn: { key: string; found: Details | undefined; nth: number } = { key: "", found: undefined, nth: 0 };

  constructor(private readonly model: Host) {
    this.live = model.get("still") !== true;
    this.outbox = model.outbox ?? new Outbox((said) => (this.model.send(said), true), (message) => this.hear(message));
    this.runs.element.hidden = this.list.element.hidden = true;
    const style = h("style", {}, STYLE);
    this.details.hidden = true;
    this.element.append(style, this.note, this.ways, this.offer, this.said, this.top, this.needs, this.cells, this.title);
    this.element.append(this.picture.element, this.details, this.list.element, this.kept, this.runs.element);
  }

  /** Listen and ask; what is returned ends it. */
  start(): () => void {
    const hear = (message: unknown): void => this.hear(message as Message);
    this.model.on("msg:custom", hear);
    const sent = (): void => this.draw();
    this.outbox.on(sent);
    this.element.addEventListener(SETTLED, sent);
    const sized = new ResizeObserver(() => this.picture.refresh());
    sized.observe(this.element);
    const themed = new MutationObserver(() => this.picture.refresh());
    themed.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-name", "data-jp-theme-light", "data-vscode-theme-kind"] });
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    const turned = (): void => this.picture.refresh();
    dark.addEventListener("change", turned);
    const left = this.model.beside?.on(() => this.draw());
    this.draw();
    this.model.send({ type: "open", version: VERSION, run: this.run });
    const again = window.setInterval(() => {
      if (this.state.shown || this.state.notes.has("")) return window.clearInterval(again);
      this.model.send({ type: "open", version: VERSION, run: this.run });
      if (++this.unanswered < SILENT) return;
      this.silent = true;
      this.draw();
    }, AGAIN_MS);
    return () => {
      window.clearInterval(again);
      window.clearTimeout(this.asking);
      this.rests.end();
      left?.();
      this.model.off("msg:custom", hear);
      this.outbox.off(sent);
      if (!this.model.outbox) this.outbox.close();
      sized.disconnect();
      themed.disconnect();
      dark.removeEventListener("change", turned);
    };
  }

  private hear(message: Message): void {
    const before = this.state;
    if (message.type === "snapshot" || message.type === "changed") this.awaited = "";
    if (message.type === "snapshot") this.rests.end();
    if (message.type === "details" || message.type === "refused") this.rests.answered();
    if (!this.model.outbox) this.outbox.answered(message);
    if (message.type === "refused" && message.again) return this.anew();
    if (message.type === "file") return save(message.name, message.text);
    this.state = heard(before, message);
    if (this.state.gap && !before.gap) this.anew();
    if (before.shown && before.shown.head.id !== this.state.shown?.head.id) this.chosen = null; // it is in another run
    this.draw();
    if (this.chosen && this.awaited !== keyOf(this.chosen.attempt, this.chosen.call)) this.ask();
  }

  /** Ask for all of it, in its order; a large run is costly to tell, so not again and again. */
  private anew(): void {
    if (this.asking) return;
    const large = this.state.rows.id.length > LARGE;
    const pause = large ? Math.max(0, this.asked + PAUSE_MS - performance.now()) : 0;
    this.asking = window.setTimeout(() => {
      this.asking = 0;
      this.asked = performance.now();
      this.model.send({ type: "open", version: VERSION, run: this.run });
    }, pause);
  }

  private draw(): void {
    const { state } = this;
    const { shown } = state;
    const said = state.notes.get("");
    const here = hereOf(this.model.beside, shown?.cells ?? []);
    if (shown) this.meet(here);
    const aside = this.absent && here.active < 0 ? ABSENT : "";
    this.note.textContent = said?.line ?? (shown ? shown.note || aside : this.silent ? NOBODY : "Waiting for the run…");
    this.note.hidden = !this.note.textContent;
    const ways = said?.remedies ?? [];
    fill(this.ways, ways, () => ways.map((way) => h("p", {}, h("code", {}, way))));
    const instead = said?.actions ?? [];
    const sent = this.doings.about(instead[0]?.about ?? "");
    const note = state.notes.get(instead[0]?.about ?? "-");
    const offer = (): HTMLElement | null => actions(this.able(instead), note, sent, (action) => this.act(action));
    fill(this.offer, [instead, sent, note], () => [offer()], instead[0]?.about);
    this.title.hidden = this.picture.element.hidden = !shown?.attempts.length;
    if (!shown) return;
    const notes = shown.needs.map((need) => state.notes.get(need.reference));
    const counts = shares(state);
    fill(this.top, [shown.head, shown.kernels.map((kernel) => kernel.stopped), counts], () => head(shown, counts));
    const asked = shown.needs.map((need) => this.doings.about(need.reference));
    const focused = among(this.needs);
    fill(this.needs, [shown.needs, notes, asked], () => needs(state, this.live, this.doings, (attempt, call) => this.show(attempt, call)));
    if (focused >= 0 && among(this.needs) < 0) this.goOn(focused);
    const go = (cell: number): void => this.go(cell);
    fill(this.cells, [shown.cells, here.has, here.active], () => (shown.cells.length ? cells(shown, here, (attempt, call) => this.open(attempt, call), go) : []));
    const can = (): HTMLElement | null => actions(this.able(shown.head.actions), undefined, this.doings.about(""), (action) => this.act(action));
    const large = shown.head.kept;
    fill(this.kept, [shown.kept, large, shown.head.actions, this.doings.about("")], () => kept(shown.kept, large, can()), shown.head.id);
    this.picture.show(state, here.active);
    this.list.show(state, here.active);
    this.runs.element.hidden = !this.live;
    this.runs.about(shown);
    this.runs.hear(state.runs);
    this.drawDetails(here);
  }

  /** The question that had the focus is gone: on to the next one, but to no button of it. */
  private goOn(from: number): void {
    const left = this.needs.querySelectorAll<HTMLElement>(".need");
    (left[Math.min(from, left.length - 1)] ?? this.element).focus({ preventScroll: true });
  }

  /** Show the calls of the cell that somebody is in, if that was asked for. */
  private meet({ active, cells }: Here): void {
    if (!this.model.beside?.wants()) return;
    const attempt = latestOf(this.state, active);
    this.absent = !attempt;
    if (!attempt) return;
    this.chosen = { attempt, call: "" };
    this.ask();
    window.requestAnimationFrame(() => this.details.scrollIntoView({ block: "nearest" }));
    this.said.textContent = `${cells[active]!.name}: ${cells[active]!.last}`;
  }

  /** Go to a cell in the notebook. */
  private go(cell: number): void {
    this.model.beside?.go(this.state.shown?.cells ?? [], cell);
  }

  /** Show another run of the store. */
  private turn(run: string): void {
    this.run = run;
    this.close();
    this.model.send({ type: "open", version: VERSION, run });
    this.element.scrollIntoView({ block: "nearest" });
  }

  private choose(call: number): void {
    const { rows } = this.state;
    if (call < 0) return this.close();
    this.picture.mark(call);
    this.list.mark(call);
    this.open(attemptOf(rows, call), rows.id[call]!);
  }

  /** The same for who knows the call and not its row; one that isn't among the rows has details, too. */
  private show(attempt: string, call: string): void {
    const { rows } = this.state;
    const n = rows.id.findIndex((id, row) => id === call && attemptOf(rows, row) === attempt);
    if (n < 0) this.open(attempt, call);
    else this.choose(n);
  }

  private open(attempt: string, call: string): void {
    this.chosen = { attempt, call };
    this.ask();
    this.drawDetails();
    this.details.scrollIntoView({ block: "nearest" });
  }

  private close(): void {
    this.chosen = null;
    this.picture.mark(-1);
    this.list.mark(-1);
    this.drawDetails();
  }

  /** Ask for the details of what is chosen, unless they are there. */
  private ask(): void {
    if (!this.chosen) return;
    const key = keyOf(this.chosen.attempt, this.chosen.call);
    if (this.state.details.has(key)) return;
    if (!this.rests.allow(key)) return;
    this.awaited = key;
    this.model.send({ type: "detail", ...this.chosen });
  }

  /** Something changed since they were asked for. */
  private askAnew(): void {
    if (this.chosen) this.state.details.delete(keyOf(this.chosen.attempt, this.chosen.call));
    this.ask();
  }

  /** The run that is looked at, "" before there is one. */
  private get shown(): string {
    return this.state.shown?.head.id ?? "";
  }

  /** Where nobody listens, only what the view does by itself. */
  private able(all: Action[] | undefined): Action[] {
    return (all ?? []).filter((action) => this.live || action.what === "copy");
  }

  private act(action: Action): void {
    this.doings.send({ type: "act", what: action.what, about: action.about });
  }

  private drawDetails(here = hereOf(this.model.beside, this.state.shown?.cells ?? [])): void {
    const { chosen } = this;
    this.details.hidden = !chosen;
    if (!chosen) return;
    const { attempt, call } = chosen;
    const key = keyOf(attempt, call);
    const found = this.state.details.get(key) ?? (this.drawn.key === key ? this.drawn.found : undefined);
    if (key !== this.drawn.key || !same(found, this.drawn.found)) this.drawn = { key, found, nth: this.drawn.nth + 1 };
    const piece = (part: string): Piece | undefined => pieceOf(this.state, attempt, call, part);
    const more: More = (part, start) => this.model.send({ type: "value", attempt, call, part, start });
    const pieces = found?.parts.map((part) => piece(part.title)?.start);
    const about = found?.actions?.find((action) => action.what !== "copy")?.about ?? "";
    const note = about ? this.state.notes.get(about) : undefined;
    const can = (): HTMLElement | null => actions(this.able(found?.actions), note, this.doings.about(about), (action) => this.act(action));
    const cell = cellOf(this.state, attempt);
    const go = here.has[cell] ? (): void => this.go(cell) : null;
    const shown = [this.drawn.nth, pieces, note, this.doings.about(about), !go];
    fill(this.details, shown, () => details(found, piece, more, [go && goes(go), can()], () => this.close()), key);
  }
}

/** Which of the questions has the focus, -1 where none has. */
function among(place: HTMLElement): number {
  const { activeElement } = place.getRootNode() as Document | ShadowRoot;
  return [...place.querySelectorAll(".need")].findIndex((need) => need.contains(activeElement));
}

/** Whether two say the same: who asks again is mostly told what is known. */
function same(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

/** The place of an attempt's cell, or -1. */
function cellOf({ shown }: State, attempt: string): number {
  return shown?.attempts.find(({ id }) => id === attempt)?.cell ?? -1;
}

/** The attempt of a cell that was executed or replayed last, or "". */
function latestOf({ shown }: State, cell: number): string {
  const attempts = (shown?.attempts ?? []).filter((attempt) => attempt.cell === cell);
  const at = ({ start_ms, replays_ms }: Attempt): number => Math.max(start_ms, ...replays_ms);
  return attempts.reduce<Attempt | null>((last, one) => (last && at(last) > at(one) ? last : one), null)?.id ?? "";
}

function goes(go: () => void): HTMLElement {
  return h("div", { class: "act" }, h("button", { click: go, "data-key": "go" }, "go to the cell"));
}

function kept(names: string[], large: string, can: HTMLElement | null): Node[] {
  if (!names.length) return can ? [can] : [];
  return [
    h("h2", {}, "Kept", large && h("span", {}, ` · ${large}`)),
    h("div", { class: "kept" }, ...names.map((name) => h("code", {}, name))),
    h("p", { class: "soft" }, "After a restart they are back with ", h("code", {}, "%durable restore")),
    ...(can ? [can] : []),
  ];
}

export default { render };
