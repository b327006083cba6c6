// What a view asks to have done, kept until somebody answers it.
//
// Theory of operation. A comm or a server may be gone in the moment of a click, and nobody
// says so. What does something gets a name of its own, and is sent whenever a way opens and
// after pauses, until an answer has that name. A source does what has one name once, so
// sending it twice does nothing twice; a kernel that ended knows no names, and what only a
// kernel can do isn't sent to the next one. Who isn't answered for a minute is told that.

import { IN_KERNEL, type Doing, type Message } from "../protocol";

/** The first pause; then twice as long, and so on. */
const AGAIN_MS = 4_000;
const LATE_MS = 60_000;

type Refused = Extract<Message, { type: "refused" }>;

interface Kept {
  said: Doing;
  /** Whether it may have arrived. */
  went: boolean;
  answered: (answer: Message) => void;
  timer: number;
}

export class Outbox {
  private readonly kept = new Map<string, Kept>();
  private readonly watchers = new Set<() => void>();

  constructor(
    /** Sends something; whether there was a way. */
    private readonly go: (said: Doing) => boolean,
    private readonly hear: (message: Message) => void,
  ) {}

  /** What is returned tells it from others, and is what its answers are called. */
  send(said: Doing, answered: (answer: Message) => void = () => undefined): string {
    const ask = name();
    this.kept.set(ask, { said: { ...said, ask }, went: false, answered, timer: 0 });
    this.attempt(ask, AGAIN_MS, performance.now() + LATE_MS);
    this.tell();
    return ask;
  }

  /** What was asked about something, and isn't answered yet. */
  about(reference: string): Doing[] {
    return [...this.kept.values()].map(({ said }) => said).filter((said) => about(said) === reference);
  }

  /** How much isn't answered yet. */
  get waiting(): number {
    return this.kept.size;
  }

  /** There is a way now. */
  flush(): void {
    for (const one of this.kept.values()) if (this.go(one.said)) one.went = true;
  }

  /** A kernel has ended: what it may have done isn't asked of another one. */
  ended(): void {
    for (const [ask, { said, went }] of this.kept) {
      if (went && IN_KERNEL.includes(said.type === "act" ? said.what : said.type)) this.lost(ask, "The kernel ended before it answered: see whether this was done.", []);
    }
  }

  /** Take the answer to something that was sent. */
  answered(message: Message): void {
    const ask = "to" in message ? message.to : "";
    const one = this.kept.get(ask);
    if (!one) return;
    window.clearTimeout(one.timer);
    this.kept.delete(ask);
    one.answered(message);
    this.tell();
  }

  on(watch: () => void): void {
    this.watchers.add(watch);
  }

  off(watch: () => void): void {
    this.watchers.delete(watch);
  }

  close(): void {
    for (const { timer } of this.kept.values()) window.clearTimeout(timer);
  }

  private attempt(ask: string, pause: number, until: number): void {
    const one = this.kept.get(ask);
    if (!one) return;
    if (performance.now() >= until) return this.late(ask, one);
    if (this.go(one.said)) one.went = true;
    one.timer = window.setTimeout(() => this.attempt(ask, 2 * pause, until), Math.min(pause, until - performance.now()));
  }

  private late(ask: string, { went }: Kept): void {
    if (went) this.lost(ask, "Nobody answered this for a minute. If a cell keeps the kernel busy, it may still be done after it.", REMEDIES);
    else this.lost(ask, "This was not sent: for a minute there was neither a kernel nor a server to take it.", REMEDIES);
  }

  private lost(ask: string, line: string, remedies: string[]): void {
    const one = this.kept.get(ask);
    if (!one) return;
    const told: Refused = { type: "refused", about: about(one.said), line, remedies, to: ask, actions: [], again: false };
    this.answered(told);
    this.hear(told);
  }

  private tell(): void {
    for (const watch of this.watchers) watch();
  }
}

/** Lists what waits, with the commands that answer. */
const REMEDIES = ["nbdurable inbox"];

function about(said: Doing): string {
  return said.type === "act" ? said.about ?? "" : said.call;
}

/** A page that isn't served securely has no `randomUUID`. */
function name(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
