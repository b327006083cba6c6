// How JupyterLab and Notebook 7 load the sidebar: a container of module federation, by hand.
//
// A host loads this script, hands over the modules that it shares, and asks for the plugin.
// Rejected: JupyterLab's own builder. It takes 400 packages to write these lines, and what it
// writes differs with the folder it runs in, so no test could tell whether a bundle is fresh.

import type { Lab, Notifications } from "./jupyterlab";
import { plugin } from "./plugin";
import type { View } from "./panel";

interface Shared {
  get(): Promise<() => unknown>;
  loaded?: unknown;
}

type Scope = Record<string, Record<string, Shared> | undefined>;

const address = (document.currentScript as HTMLScriptElement).src;
let scope: Scope = {};

/** A module that the host shares; where there are several versions, the one in use. */
async function shared<T>(name: string): Promise<T> {
  const versions = Object.values(scope[name] ?? {});
  const found = versions.find((version) => version.loaded) ?? versions[versions.length - 1];
  return (found ? (await found.get())() : {}) as T;
}

/** The view lies beside this script; it is loaded when the panel is first seen. */
async function view(): Promise<View> {
  const place = new URL("view.js", address);
  place.search = new URL(address).search;
  return ((await import(place.href)) as { default: View }).default;
}

async function extension(): Promise<() => unknown> {
  const notebook = await shared<{ INotebookTracker: unknown }>("@jupyterlab/notebook");
  const application = await shared<{ ILayoutRestorer: unknown }>("@jupyterlab/application");
  const apputils = await shared<{ ICommandPalette: unknown; Notification: Notifications }>("@jupyterlab/apputils");
  const statusbar = await shared<{ IStatusBar?: unknown }>("@jupyterlab/statusbar");
  const registry = await shared<{ ISettingRegistry?: unknown }>("@jupyterlab/settingregistry");
  const lab: Lab = {
    widgets: await shared("@lumino/widgets"),
    notifications: apputils.Notification,
    signaling: await shared("@lumino/signaling"),
    services: await shared("@jupyterlab/services"),
    components: await shared("@jupyterlab/ui-components"),
    tokens: {
      tracker: notebook.INotebookTracker,
      restorer: application.ILayoutRestorer,
      palette: apputils.ICommandPalette,
      status: statusbar.IStatusBar,
      settings: registry.ISettingRegistry,
    },
  };
  const made = plugin(lab, view);
  return () => ({ __esModule: true, default: made });
}

const known = window as unknown as { _JUPYTERLAB?: Record<string, unknown> };
known._JUPYTERLAB ??= {};
known._JUPYTERLAB["nbdurable"] = {
  init: (given: Scope) => void (scope = given),
  get: extension,
};
