// A line to the server, for a notebook without a kernel: the same messages, one request each.
//
// What changed is asked for every other second while somebody looks. While nobody does that
// costs nothing: it is asked once, and again when somebody comes back to the page, since what
// needs them may be answered elsewhere.

import type { Doing, Message, Request } from "../protocol";
import type { Server } from "./jupyterlab";

const LOOK_MS = 2_000;

const [UNAUTHORIZED, FORBIDDEN, TOO_MANY, BROKEN] = [401, 403, 429, 500];

/** The server has not the extension, or doesn't let this notebook be read. */
const SILENT = ["The server tells nothing of this notebook.", "jupyter server extension enable nbdurable.server"] as const;
const LOGGED_OUT = ["The server doesn't know you any more, and nothing was done.", "log in again: load the page anew"] as const;

function refused(said: Request, [line, remedy]: readonly [string, string]): Message {
  const { about = "", ask: to = "" } = doing(said) ? { about: said.type === "act" ? said.about : said.call, ask: said.ask } : {};
  return { type: "refused", about, line, remedies: [remedy], to, actions: [], again: false };
}

function doing(said: Request): said is Doing {
  return "ask" in said;
}

export class Post {
  private readonly view = `${Date.now()}-${Math.random()}`;
  private looking = 0;
  private over = false;
  /** Ask what changed, where somebody can see the page. */
  private readonly back = (): void => void (document.hidden || this.ask(null));

  constructor(
    private readonly server: Server,
    private readonly notebook: () => string,
    private readonly hear: (message: Message) => void,
  ) {
    document.addEventListener("visibilitychange", this.back);
  }

  send(said: Request): void {
    if (said.type === "open" || said.type === "watch") window.clearInterval(this.looking);
    void this.ask(said);
    if (said.type === "open") this.looking = window.setInterval(this.back, LOOK_MS);
  }

  close(): void {
    this.over = true;
    window.clearInterval(this.looking);
    document.removeEventListener("visibilitychange", this.back);
  }

  private async ask(said: Request | null): Promise<void> {
    const settings = this.server.makeSettings();
    const body = JSON.stringify({ notebook: this.notebook(), view: this.view, said });
    const address = `${settings.baseUrl}nbdurable/timeline`;
    const reply = await this.server.makeRequest(address, { method: "POST", body }, settings).catch(() => null);
    const told = reply ? await answers(reply, said) : [];
    if (!this.over) told.forEach((message) => this.hear(message));
  }
}

/** Where a server is busy or broken for now nothing is said: what was asked is asked again. */
async function answers(reply: Response, said: Request | null): Promise<Message[]> {
  if (reply.ok) {
    const told = (await reply.json().catch(() => null)) as { messages?: Message[] } | null;
    return told?.messages ?? [];
  }
  if (!said || reply.status >= BROKEN || reply.status === TOO_MANY) return [];
  return [refused(said, reply.status === UNAUTHORIZED || reply.status === FORBIDDEN ? LOGGED_OUT : SILENT)];
}
