// What is added to JupyterLab and Notebook 7: the panel, and how to get to it.

import { badge, notifications, statusItem } from "./calls";
import type { App, Lab, NotebookTracker, Palette, Restorer, SettingRegistry, Settings, Status } from "./jupyterlab";
import { Lines } from "./lines";
import { panel, type View } from "./panel";

const ICON = `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
<g class="jp-icon3" fill="none" stroke="#616161" stroke-width="2.2" stroke-linecap="round">
<path d="M4.5 9.5A8 8 0 1 1 4 13"/><path d="M4 4.5v5h5"/><path d="M9 11h6M9 15h4"/></g></svg>`;

const PLUGIN = "nbdurable:plugin";

/** What a host may have; Notebook 7 has no status bar, for one. */
interface Given {
  palette?: Palette | null;
  restorer?: Restorer | null;
  status?: Status | null;
  registry?: SettingRegistry | null;
}

const CAPTION = "Durable run";

export function plugin(lab: Lab, load: () => Promise<View>): object {
  const { palette, restorer, status, settings } = lab.tokens;
  const wanted = Object.entries({ palette, restorer, status, registry: settings });
  return {
    id: PLUGIN,
    description: "The run of the notebook in a sidebar.",
    autoStart: true,
    requires: [lab.tokens.tracker],
    optional: wanted.map(([, token]) => token).filter(Boolean),
    activate: (app: App, tracker: NotebookTracker, ...given: unknown[]) => {
      const found = wanted.filter(([, token]) => token).map(([name], n) => [name, given[n]]);
      const { palette, restorer, status, registry } = Object.fromEntries(found) as Given;
      const lines = new Lines(tracker, lab.services);
      const home = panel(lab, tracker, lines, load);
      home.id = "nbdurable-panel";
      const icon = new lab.components.LabIcon({ name: "nbdurable:run", svgstr: ICON });
      home.title.icon = icon;
      home.title.caption = CAPTION;
      app.shell.add(home, "right", { rank: 900 });
      restorer?.add(home, home.id);
      const show = (): void => app.shell.activateById(home.id);
      app.commands.addCommand("nbdurable:show", {
        label: "Show the Durable Run",
        caption: "The run of this notebook: what needs you, its cells and their calls",
        icon,
        execute: show,
      });
      palette?.addItem({ command: "nbdurable:show", category: "Durable" });
      badge(lines, home, CAPTION);
      if (status) statusItem(lab, lines, status, show);
      let settings: Settings | null = null;
      void registry?.load(PLUGIN).then((loaded) => (settings = loaded));
      const wants = (): boolean => settings?.composite.notifications !== false;
      notifications(lab, lines, wants, ({ notebook }) => {
        app.shell.activateById(notebook.id);
        show();
      });
    },
  };
}
