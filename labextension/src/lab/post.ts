// A line to the server, for a notebook without a kernel: the same messages, one request each.
//
// What changed is asked for every other second, while somebody looks.

import type { Doing, Message, Request } from "../protocol";
import type { Server } from "./jupyterlab";

const LOOK_MS = 2_000;

/** The server has not the extension, or doesn't let this notebook be read. */
function silent(said: Request): Message {
  const { about = "", ask: to = "" } = doing(said) ? { about: said.type === "act" ? said.about : said.call, ask: said.ask } : {};
  const line = "The server tells nothing of this notebook.";
  return { type: "refused", about, line, remedies: ["jupyter server extension enable nbdurable.server"], to, actions: [], again: false };
}

function doing(said: Request): said is Doing {
  return "ask" in said;
}

export class Post {
  private readonly view = `${Date.now()}-${Math.random()}`;
  private looking = 0;
  private over = false;

  constructor(
    private readonly server: Server,
    private readonly notebook: () => string,
    private readonly hear: (message: Message) => void,
  ) {}

  send(said: Request): void {
    if (said.type === "open" || said.type === "watch") window.clearInterval(this.looking);
    if (said.type === "watch") return; // without a kernel nothing waits
    void this.ask(said);
    if (said.type !== "open") return;
    this.looking = window.setInterval(() => document.hidden || void this.ask(null), LOOK_MS);
  }

  close(): void {
    this.over = true;
    window.clearInterval(this.looking);
  }

  private async ask(said: Request | null): Promise<void> {
    const settings = this.server.makeSettings();
    const body = JSON.stringify({ notebook: this.notebook(), view: this.view, said });
    const address = `${settings.baseUrl}nbdurable/timeline`;
    const reply = await this.server.makeRequest(address, { method: "POST", body }, settings).catch(() => null);
    if (!reply && said && doing(said)) return; // it is sent again
    const told = reply?.ok ? ((await reply.json()) as { messages: Message[] }).messages : said ? [silent(said)] : [];
    if (!this.over) told.forEach((message) => this.hear(message));
  }
}
