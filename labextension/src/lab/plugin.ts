// What is added to JupyterLab and Notebook 7: the panel, and how to get to it.

import { h } from "../view/dom";
import { Badges, STYLE } from "./badges";
import { badge, failed, notifications, statusItem } from "./calls";
import { commands, type Doing } from "./commands";
import type { App, Icon, Lab, NotebookCell, NotebookPanel, NotebookTracker, Palette, Restorer, SettingRegistry, Status } from "./jupyterlab";
import { Lines } from "./lines";
import { panel, type Panel, type View } from "./panel";
import { Wishes } from "./wishes";

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
      const lines = new Lines(tracker, lab.services, (answer) => failed(lab, answer));
      const home = panel(lab, app, tracker, lines, load);
      const icon = new lab.components.LabIcon({ name: "nbdurable:run", svgstr: ICON });
      const show = dock(app, home, icon, restorer);
      const wishes = new Wishes();
      const open = (notebook: NotebookPanel): void => {
        app.shell.activateById(notebook.id);
        show();
      };
      const does = doing(tracker, lines, home, wishes, show, open);
      commands(app, palette, icon, does);
      badge(lines, home.widget, CAPTION);
      if (status) statusItem(lab, lines, status, does.next);
      notifications(lab, lines, () => wishes.notifications, ({ notebook }) => open(notebook));
      marks(lines, wishes, (notebook) => {
        show();
        home.want(notebook);
      });
      keys(app, lines);
      void registry?.load(PLUGIN).then((settings) => wishes.take(settings));
    },
  };
}

/** Put the panel on the right; what is returned shows it. */
function dock(app: App, { widget }: Panel, icon: Icon, restorer: Restorer | null | undefined): () => void {
  widget.id = "nbdurable-panel";
  widget.title.icon = icon;
  widget.title.caption = CAPTION;
  app.shell.add(widget, "right", { rank: 900 });
  restorer?.add(widget, widget.id);
  return () => app.shell.activateById(widget.id);
}

function doing(tracker: NotebookTracker, lines: Lines, home: Panel, wishes: Wishes, show: () => void, open: (notebook: NotebookPanel) => void): Doing {
  const front = (): NotebookPanel | null => tracker.currentWidget;
  return {
    show,
    showCell: () => {
      const notebook = front();
      show();
      if (notebook) home.want(notebook);
    },
    beside: () => front() !== null,
    next: () => {
      const asked = lines.asked();
      const mine = lines.of(front());
      const here = asked.find(({ line }) => line === mine) ?? asked[0];
      // Whoever is in front is not brought there: that would take the focus back.
      if (here && here.line !== mine) open(here.notebook);
      else show();
      home.next();
    },
    asked: () => lines.asked().length > 0,
    restore: () => lines.of(front())?.restore(),
    kept: () => Boolean(lines.of(front())?.kept.length),
    toggleBadges: () => wishes.turn("badges"),
    badges: () => wishes.badges,
  };
}

/** A line under each durable cell of each notebook, where that is wished. */
function marks(lines: Lines, wishes: Wishes, show: (notebook: NotebookPanel) => void): void {
  const made = new Map<NotebookPanel, Badges>();
  const look = (): void => {
    for (const [notebook, line] of lines.all) {
      if (made.has(notebook)) continue;
      const select = (cell: NotebookCell): void => {
        notebook.content.activeCellIndex = notebook.content.widgets.indexOf(cell);
        show(notebook);
      };
      made.set(notebook, new Badges(notebook, line, () => wishes.badges, select));
      notebook.disposed.connect(() => {
        made.get(notebook)?.close();
        made.delete(notebook);
      });
    }
    made.forEach((badges) => badges.look());
  };
  document.head.append(h("style", {}, STYLE));
  lines.on(look);
  wishes.on(() => {
    lines.mark(wishes.badges);
    look();
  });
}

/** Commands become enabled, and are not, as the runs go on; a host is told only of that. */
function keys(app: App, lines: Lines): void {
  let known = "";
  lines.on(() => {
    const now = JSON.stringify([lines.asked().length > 0, lines.all.map(([, line]) => line.kept.length > 0)]);
    if (now !== known) app.commands.notifyCommandChanged();
    known = now;
  });
}
