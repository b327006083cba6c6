// A line to the kernel of one notebook: what a view says goes out, what it hears comes in.
//
// Theory of operation. The kernel of a notebook comes and goes: it starts, restarts, dies, is
// changed for another one, or the page was reloaded while it runs a cell. After each event
// `settle` looks at how the kernel stands, and either drops the comm or opens one. Two events
// may come while one opening is under way, so each opening has a turn, and one whose turn has
// passed is dropped. A kernel that doesn't know the comm closes it at once: nbdurable isn't
// loaded there, which the next cell may change. What was sent to a kernel that was about to
// end is lost without a word, so who isn't answered opens another comm after a while. Between
// two ways to the run a click has none: what is to be done waits in an outbox, and goes as
// soon as a source has shown that it is there.

import { VERSION, type Cell, type Message, type Need, type Request } from "../protocol";
import type { Host } from "../view";
import { Outbox } from "../view/outbox";
import type { Kernel, Lab, SessionContext } from "./jupyterlab";
import { page } from "./page";
import { Post } from "./post";
import { Wire } from "./wire";

/** How a kernel stands to the sidebar. */
export type Standing = "no kernel" | "starting" | "open" | "not loaded";

const TARGET = "nbdurable";

/** How long an answer may take until it is asked anew; then twice as long, and so on. */
const ANSWER_MS = 4_000;
const ANSWER_MS_MAX = 60_000;
/** The same while somebody has clicked, and looks at the button. */
const CLICKED_MS_MAX = 8_000;

/** JupyterLab ends the subshell of a closed comm; what is opened at once may get that one. */
const PAUSE_MS = 500;

const STARTS = new Set(["starting", "restarting", "autorestarting"]);
const GONE = new Set(["dead", "terminating"]);

/** What a slow kernel may take its time for. */
const READS = new Set(["find", "older", "detail", "value"]);

type Hear = (message: unknown) => void;

export class Line implements Host {
  standing: Standing = "starting";
  /** What needs somebody, as far as is known. */
  needs: Need[] = [];
  readonly outbox = new Outbox(
    (said) => this.there && this.pass(said),
    (message) => this.tell(message),
  );
  /** How the cells of the kernel's own run stand, as far as is known. */
  cells: Cell[] = [];
  /** Whether that is wanted also while nobody looks at the run. */
  private marks = false;
  /** Id of the kernel's own run, as far as is known: `needs`, `kept` and `cells` are of that one. */
  own = "";
  /** The run that was asked for last, "" for the kernel's own. */
  private asked = "";
  /** What a new kernel can bring back, and whether it was asked to; the name of that request. */
  private keeps: string[] = [];
  private restored = false;
  private restoring = "";
  private readonly hearers = new Set<Hear>();
  private wire: Wire | null = null;
  /** Without a kernel the server is asked. */
  private post: Post | null = null;
  /** Whether a source has told something of the run, by the way that is there now. */
  private there = false;
  private kernel: Kernel | null = null;
  private turn = 0;
  private busy = false;
  /** A new process isn't there until it says how it is; «unknown» is what the old one left. */
  private starts = false;
  private closed = -PAUSE_MS;
  private patience = ANSWER_MS;
  private waiting = 0;
  private readonly look = (): void => this.settle();
  private readonly moved = (_: unknown, what: unknown): void => void (what === "path" && this.begin());

  constructor(
    private readonly context: SessionContext,
    private readonly services: Lab["services"],
    private readonly changed: () => void,
    private readonly failed: (answer: Message) => void,
  ) {
    for (const signal of this.signals()) signal.connect(this.look);
    this.outbox.on(() => this.hurry());
    context.propertyChanged.connect(this.moved);
    this.settle();
  }

  close(): void {
    for (const signal of this.signals()) signal.disconnect(this.look);
    this.context.propertyChanged.disconnect(this.moved);
    this.outbox.close();
    this.drop();
  }

  /** Whether somebody looks at the run, and needs no notification. */
  get seen(): boolean {
    return this.hearers.size > 0;
  }

  get(): undefined {
    return undefined;
  }

  on(_event: string, hear: Hear): void {
    this.hearers.add(hear);
    this.changed(); // somebody looks now
  }

  off(_event: string, hear: Hear): void {
    this.hearers.delete(hear);
    this.begin();
  }

  /** Ask for everything, or where nobody looks for what needs somebody. */
  private begin(): void {
    this.send(this.hearers.size ? { type: "open", version: VERSION, run: this.asked } : { type: "watch", version: VERSION, cells: this.marks });
  }

  /** Say whether to be told how the cells stand, also while nobody looks. */
  mark(marks: boolean): void {
    if (marks === this.marks) return;
    this.marks = marks;
    if (!this.hearers.size) this.begin();
  }

  /** Ask for something; where there is no way, it is asked for again when there is one. */
  send(request: Request): void {
    if (request.type === "open") this.asked = request.run ?? "";
    this.pass(request);
  }

  /** Send by the way that there is; whether there is one. */
  private pass(said: Request): boolean {
    const request = said.type === "open" || said.type === "watch" ? { ...said, notebook: this.path } : said;
    if (!this.post && (this.standing !== "open" || !this.wire)) return false;
    if (this.post) this.post.send(request);
    else this.wire?.send(request);
    if (!this.post && !READS.has(request.type)) this.expect();
    return true;
  }

  private expect(): void {
    window.clearTimeout(this.waiting);
    this.waiting = window.setTimeout(() => this.anew(), this.patience);
  }

  /** Where the notebook is now, below the server's folder. */
  private get path(): string {
    return this.context.path.replace(/^[^:/]*:/, "");
  }

  private signals(): SessionContext["kernelChanged"][] {
    const { kernelChanged, statusChanged, connectionStatusChanged } = this.context;
    return [kernelChanged, statusChanged, connectionStatusChanged];
  }

  private settle(): void {
    const kernel = this.context.session?.kernel ?? null;
    if (kernel !== this.kernel) this.drop();
    if (this.kernel && kernel !== this.kernel) this.outbox.ended();
    this.kernel = kernel;
    if (!kernel || GONE.has(kernel.status)) return this.history();
    if (STARTS.has(kernel.status)) this.outbox.ended();
    this.starts = STARTS.has(kernel.status) || (this.starts && kernel.status === "unknown");
    if (this.starts || kernel.connectionStatus !== "connected") return this.stand("starting");
    const ended = this.busy && kernel.status === "idle";
    this.busy = kernel.status === "busy";
    if (this.standing === "not loaded" && !ended) return;
    if (!this.wire) void this.open(kernel);
  }

  private history(): void {
    if (this.post) return;
    this.outbox.ended();
    this.stand("no kernel");
    this.post = new Post(this.services.ServerConnection, () => this.path, (message) => this.hear(message));
    this.there = true;
    this.begin();
    this.outbox.flush();
  }

  private stand(standing: Standing): void {
    if (standing !== "open") this.drop();
    if (standing === this.standing) return;
    this.standing = standing;
    if (standing !== "open") {
      this.needs = this.keeps = this.cells = [];
      this.restored = false;
      this.restoring = "";
    }
    this.changed();
  }

  private drop(): void {
    this.turn++;
    window.clearTimeout(this.waiting);
    if (this.wire) this.closed = performance.now();
    this.wire?.close();
    this.post?.close();
    this.wire = this.post = null;
    this.there = false;
  }

  private async open(kernel: Kernel): Promise<void> {
    this.drop();
    const turn = this.turn;
    await new Promise((done) => window.setTimeout(done, this.closed + PAUSE_MS - performance.now()));
    if (turn !== this.turn) return;
    const wire = (this.wire = new Wire(kernel, this.services.KernelMessage.createMessage, TARGET, `${page()} ${this.path}`));
    wire.comm.onMsg = (message) => this.hear(message.content.data as Message);
    wire.comm.onClose = () => this.refused(turn);
    await wire.open(() => turn === this.turn);
    if (turn !== this.turn) return;
    this.stand("open");
    this.begin();
  }

  /** Who clicks while nobody answers doesn't wait for the end of a long pause. */
  private hurry(): void {
    if (!this.outbox.waiting || this.there || !this.wire || this.standing !== "open") return;
    this.patience = Math.min(this.patience, ANSWER_MS);
    this.expect();
  }

  private anew(): void {
    this.patience = Math.min(2 * this.patience, this.outbox.waiting ? CLICKED_MS_MAX : ANSWER_MS_MAX);
    this.drop();
    this.settle();
  }

  /** What a new kernel can bring back, and hasn't yet. */
  get kept(): string[] {
    return this.restored ? [] : this.keeps;
  }

  /** Ask the kernel to bring back what the run kept. */
  restore(): void {
    if (!this.restoring) this.restoring = this.outbox.send({ type: "act", what: "restore", run: this.own }, (answer) => this.answered(answer));
  }

  /** The kernel says that it will, and later what came of it; what it didn't is offered again. */
  private answered(answer: Message): void {
    this.restored = answer.type !== "refused";
    if (!this.restored) this.restoring = "";
    if (!this.restored) this.failed(answer);
    this.changed();
  }

  /** Learn how the kernel's own run stands; what is told of another one says nothing of it. */
  private learn(message: Message): void {
    if (message.type !== "watched" && message.type !== "snapshot" && message.type !== "changed") return;
    if (message.type === "watched") this.own = message.run;
    if (message.type === "snapshot" && !this.asked) this.own = message.head.id;
    if (message.type !== "watched" && message.head.id !== this.own) return;
    const before = JSON.stringify([this.needs, this.kept, this.cells]);
    this.needs = message.needs;
    this.cells = message.cells;
    if (message.type !== "watched") this.keeps = message.head.kernel === "stopped" ? message.kept : [];
    if (JSON.stringify([this.needs, this.kept, this.cells]) !== before) this.changed();
  }

  private refused(turn: number): void {
    if (turn !== this.turn) return;
    this.wire = null;
    this.there = false;
    this.closed = performance.now();
    this.stand("not loaded");
  }

  private hear(message: Message): void {
    window.clearTimeout(this.waiting);
    this.patience = ANSWER_MS;
    this.outbox.answered(message);
    if ("to" in message && message.to && message.to === this.restoring) this.answered(message);
    this.tell(message);
    if (message.type === "refused" && message.again && !this.hearers.size) this.begin();
    this.learn(message);
    if (this.there || !listens(message)) return;
    this.there = true;
    this.outbox.flush();
  }

  private tell(message: Message): void {
    for (const hear of this.hearers) hear(message);
  }
}

/** Whether who says this takes clicks, too. */
function listens(message: Message): boolean {
  return "needs" in message || (message.type === "refused" && message.actions.length > 0);
}
