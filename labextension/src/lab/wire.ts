// A comm that is heard while a cell blocks the kernel.
//
// Theory of operation. JupyterLab gives a comm a subshell of its own, once it knows that the
// kernel has such; it asks in the shell that a cell may block, as it does when a page is
// loaded anew while a cell runs. Who isn't told soon makes a subshell by hand, on the control
// channel, which nothing blocks, and sends through it. A kernel that knows no subshells
// doesn't answer that either: then messages wait for the end of the cell.

import type { Comm, Kernel, Make } from "./jupyterlab";

/** An idle kernel says within milliseconds what it can do. */
const TOLD_MS_MAX = 1_000;

/** JupyterLab keeps what is sent to a kernel that doesn't answer at first for 3 seconds. */
const MADE_MS_MAX = 6_000;

export class Wire {
  readonly comm: Comm;
  private subshell: string | null = null;

  constructor(
    private readonly kernel: Kernel,
    private readonly make: Make,
    private readonly target: string,
    /** What tells the notebook in this window from others, also after it was loaded anew. */
    private readonly page: string,
  ) {
    this.comm = kernel.createComm(target);
  }

  /** Find a way past the cells, and open the comm unless it is not wanted any more. */
  async open(wanted: () => boolean): Promise<void> {
    if (!(await this.theirs())) this.subshell = await this.ours();
    if (!wanted()) return this.comm.dispose();
    const data = { page: this.page };
    if (this.subshell) this.post("comm_open", { target_name: this.target, data });
    else this.comm.open(data);
  }

  send(data: unknown): void {
    if (this.comm.isDisposed) return;
    if (this.subshell) this.post("comm_msg", { data });
    else this.comm.send(data);
  }

  close(): void {
    this.comm.onClose = () => undefined;
    if (this.comm.isDisposed) return;
    const { status } = this.kernel;
    if (status === "idle" || status === "busy") this.comm.close();
    else this.comm.dispose();
  }

  /** Whether JupyterLab's own subshell is there, or the kernel is known to have none. */
  private async theirs(): Promise<boolean> {
    const { comm, kernel } = this;
    if (!(await soon(kernel.info))) return false;
    if (!kernel.supportsSubshells || !comm.subshellStarted) return true;
    return comm.commsOverSubshells !== "disabled" && soon(comm.subshellStarted);
  }

  private async ours(): Promise<string | null> {
    const { kernel, make } = this;
    const { username, clientId: session } = kernel;
    const asked = make({ msgType: "create_subshell_request", channel: "control", username, session, content: {} });
    const future = kernel.sendControlMessage(asked, true);
    let made: unknown = null;
    const told = future.done.then((reply) => (made = reply.content["subshell_id"]));
    if (!(await soon(told, MADE_MS_MAX))) future.dispose();
    return typeof made === "string" ? made : null;
  }

  private post(msgType: string, content: Record<string, unknown>): void {
    const { kernel, make } = this;
    const { username, clientId: session } = kernel;
    const said = { comm_id: this.comm.commId, ...content };
    const subshellId = this.subshell ?? "";
    kernel.sendShellMessage(make({ msgType, channel: "shell", username, session, subshellId, content: said }), false, true);
  }
}

/** Whether something comes true before long. */
async function soon(awaited: Promise<unknown>, most = TOLD_MS_MAX): Promise<boolean> {
  const late = new Promise<boolean>((done) => window.setTimeout(() => done(false), most));
  const came = awaited.then(
    () => true,
    () => false,
  );
  return Promise.race([came, late]);
}
