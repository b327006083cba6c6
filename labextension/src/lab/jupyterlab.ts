// What the sidebar uses of JupyterLab and Notebook 7, and no more: their packages are at
// hand at run time, and a build needs none of them. The tests in real browsers see whether
// this is what they are.

export interface Signal<Sender, Args> {
  connect(hear: (sender: Sender, args: Args) => void): boolean;
  disconnect(hear: (sender: Sender, args: Args) => void): boolean;
}

export interface Comm {
  readonly commId: string;
  readonly isDisposed: boolean;
  /** Since JupyterLab 4.5: when what is sent goes through a subshell. */
  readonly subshellStarted?: Promise<void>;
  readonly commsOverSubshells?: string;
  onMsg: (message: { content: { data: unknown } }) => void;
  onClose: () => void;
  open(data: unknown): unknown;
  send(data: unknown): unknown;
  close(): unknown;
  dispose(): void;
}

export interface Kernel {
  readonly id: string;
  readonly status: string;
  readonly connectionStatus: string;
  readonly info: Promise<unknown>;
  readonly supportsSubshells?: boolean;
  readonly username: string;
  readonly clientId: string;
  createComm(target: string): Comm;
  sendShellMessage(message: unknown, expectReply: boolean, disposeOnDone: boolean): unknown;
  sendControlMessage(message: unknown, expectReply: boolean): Future;
}

export interface Future {
  readonly done: Promise<{ content: Record<string, unknown> }>;
  dispose(): void;
}

/** Makes a message of Jupyter's own protocol. */
export type Make = (options: {
  msgType: string;
  channel: "shell" | "control";
  username: string;
  session: string;
  subshellId?: string;
  content: unknown;
}) => unknown;

/** Requests to the server, with its token or the cookie that it wants to see again. */
export interface Server {
  makeSettings(): { baseUrl: string };
  makeRequest(address: string, request: RequestInit, settings: { baseUrl: string }): Promise<Response>;
}

export interface Session {
  readonly kernel: Kernel | null;
}

export interface SessionContext {
  readonly path: string;
  readonly session: Session | null;
  readonly kernelChanged: Signal<unknown, unknown>;
  readonly statusChanged: Signal<unknown, unknown>;
  readonly connectionStatusChanged: Signal<unknown, unknown>;
  readonly propertyChanged: Signal<unknown, unknown>;
}

export interface Widget {
  id: string;
  readonly node: HTMLElement;
  readonly isVisible: boolean;
  readonly title: { label: string; caption: string; icon: unknown; className: string };
  readonly disposed: Signal<unknown, unknown>;
}

export interface NotebookPanel extends Widget {
  readonly sessionContext: SessionContext;
  readonly content: Notebook;
}

/** The cells of a notebook. */
export interface Notebook {
  readonly widgets: readonly NotebookCell[];
  readonly activeCell: NotebookCell | null;
  activeCellIndex: number;
  mode: string;
  readonly activeCellChanged: Signal<unknown, unknown>;
  readonly modelContentChanged: Signal<unknown, unknown>;
  deselectAll(): void;
  scrollToItem(index: number, align: string): Promise<void>;
}

export interface NotebookCell {
  readonly node: HTMLElement;
  readonly model: { readonly id: string; readonly type: string; readonly sharedModel: { getSource(): string } };
  /** When it was in sight for the first time. */
  readonly ready: Promise<void>;
}

export interface NotebookTracker {
  readonly currentWidget: NotebookPanel | null;
  readonly currentChanged: Signal<unknown, NotebookPanel | null>;
  readonly widgetAdded: Signal<unknown, NotebookPanel>;
  forEach(visit: (notebook: NotebookPanel) => void): void;
}

export interface App {
  readonly shell: {
    add(widget: Widget, area: string, options: { rank: number }): void;
    activateById(id: string): void;
  };
  readonly commands: {
    addCommand(id: string, options: Command): unknown;
    notifyCommandChanged(): void;
  };
}

export type Icon = unknown;

export interface Command {
  label: string;
  caption: string;
  icon?: Icon;
  execute: () => void;
  isEnabled: () => boolean;
  isToggled?: () => boolean;
}

export interface Palette {
  addItem(item: { command: string; category: string }): unknown;
}

export interface Status {
  registerStatusItem(id: string, item: { item: Widget; align: string; isActive: () => boolean; activeStateChanged: unknown }): unknown;
}

/** JupyterLab's own notifications: a toast, and the list under the bell. */
export interface Notifications {
  emit(text: string, type: string, options: { autoClose: false; actions: NotificationAction[] }): string;
  dismiss(id: string): void;
}

export interface NotificationAction {
  label: string;
  displayType: string;
  callback: () => void;
}

export interface Settings {
  readonly composite: { readonly notifications?: boolean; readonly badges?: boolean };
  readonly changed: Signal<unknown, unknown>;
  set(key: string, value: boolean): Promise<void>;
}

export interface SettingRegistry {
  load(plugin: string): Promise<Settings>;
}

export interface Restorer {
  add(widget: Widget, name: string): void;
}

/** The modules that the sidebar takes from its host; each has more than stands here. */
export interface Lab {
  widgets: { Widget: new (options: { node: HTMLElement }) => Widget };
  services: { KernelMessage: { createMessage: Make }; ServerConnection: Server };
  notifications: Notifications;
  signaling: { Signal: new (sender: unknown) => { emit(args: unknown): void } };
  components: { LabIcon: new (options: { name: string; svgstr: string }) => unknown };
  tokens: { tracker: unknown; restorer: unknown; palette: unknown; status: unknown; settings: unknown };
}
