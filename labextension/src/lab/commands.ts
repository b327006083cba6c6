// What can be done from the command palette, by keys and from a cell's menu.

import type { App, Icon, Palette } from "./jupyterlab";

/** What the commands do; each says whether there is anything to do. */
export interface Doing {
  show(): void;
  showCell(): void;
  beside(): boolean;
  next(): void;
  asked(): boolean;
  restore(): void;
  kept(): boolean;
  toggleBadges(): void;
  badges(): boolean;
}

const always = (): boolean => true;

export function commands(app: App, palette: Palette | null | undefined, icon: Icon, doing: Doing): void {
  const add = (name: string, label: string, caption: string, execute: () => void, isEnabled = always, more: object = {}): void => {
    const command = `nbdurable:${name}`;
    app.commands.addCommand(command, { label, caption, execute, isEnabled, ...more });
    palette?.addItem({ command, category: "Durable" });
  };
  const { show, showCell, beside, next, asked, restore, kept, toggleBadges, badges } = doing;
  add("show", "Show the Durable Run", "The run of this notebook: what needs you, its cells and their calls", show, always, { icon });
  add("show-cell", "Show This Cell in the Durable Run", "What this cell did, its attempts and its calls", showCell, beside);
  add("next", "Go to What Needs You", "The next question, or call that may have happened", next, asked);
  add("restore", "Restore What the Durable Run Kept", "Bring variables back into a new kernel; executes nothing", restore, kept);
  add("badges", "Show How Durable Cells Stand", "A line under each durable cell", toggleBadges, always, { isToggled: badges });
}
