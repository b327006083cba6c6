// How somebody learns that a notebook waits for them, whatever they are looking at: a
// notification with the buttons, a number on the tab of the panel and in the status bar.

import { h } from "../view/dom";
import { replied } from "../view/parts";
import { plainly } from "../view/text";
import type { Message, Reply } from "../protocol";
import type { Lab, NotificationAction, Status, Widget } from "./jupyterlab";
import type { Asked, Lines } from "./lines";

const BUTTON = "border:0;background:none;color:inherit;font:inherit;cursor:pointer;line-height:24px;padding:0 4px";

/** JupyterLab cuts what is longer. */
const CHARS_MAX = 140;

/** Answers of one question that have room beside each other, and the letters of all of them. */
const ANSWERS_MAX = 3;
const LETTERS_MAX = 40;

export function notifications(lab: Lab, lines: Lines, wanted: () => boolean, open: (asked: Asked) => void): void {
  const told = new Map<string, string>();
  lines.on(() => {
    const asked = new Map(lines.asked().map((one) => [`${one.notebook.id} ${one.need.reference}`, one]));
    for (const [key, id] of told) {
      const one = asked.get(key);
      if (one && !one.line.seen) continue;
      lab.notifications.dismiss(id); // it would stand before the buttons of whoever looks now
      if (!one) told.delete(key);
    }
    for (const [key, one] of asked) if (!told.has(key) && !one.line.seen && wanted()) told.set(key, notify(lab, one, open));
  });
}

function notify(lab: Lab, asked: Asked, open: (asked: Asked) => void): string {
  const { line, need, notebook } = asked;
  const clicks = need.replies.filter((reply) => !reply.typed);
  const fit = clicks.length <= ANSWERS_MAX && clicks.reduce((sum, { means }) => sum + means.length, 0) <= LETTERS_MAX;
  const answer = (reply: Reply): NotificationAction => ({
    label: reply.means,
    displayType: "default",
    callback: () => line.outbox.send({ ...replied(need, reply), run: line.own }, (answer) => failed(lab, answer)),
  });
  const show = { label: "show", displayType: "accent", callback: () => open(asked) };
  const text = `${plainly(notebook.title.label)}: ${need.message === "signal" ? need.says : `${need.call} ${need.says}`}`;
  const short = text.length > CHARS_MAX ? `${text.slice(0, CHARS_MAX - 1)}…` : text;
  return lab.notifications.emit(short, "warning", { autoClose: false, actions: [show, ...(fit ? clicks.map(answer) : [])] });
}

/** A toast goes with the click: where nothing came of it another one says so. */
export function failed(lab: Lab, answer: Message): void {
  if (answer.type !== "refused") return;
  const text = [answer.line, ...answer.remedies].join(" ");
  lab.notifications.emit(text.length > CHARS_MAX ? `${text.slice(0, CHARS_MAX - 1)}…` : text, "error", { autoClose: false, actions: [] });
}

/** How many questions there are, as a sentence. */
function needing(questions: number): string {
  return `${questions} need${questions === 1 ? "s" : ""} you`;
}

/** The number of questions on the tab of the panel. */
export function badge(lines: Lines, panel: Widget, caption: string): void {
  lines.on(() => {
    const { length } = lines.asked();
    panel.title.label = length ? String(length) : "";
    panel.title.caption = length ? `${caption}: ${needing(length)}` : caption;
  });
}

/** «2 need you» in the status bar; nothing where nothing does. */
export function statusItem(lab: Lab, lines: Lines, bar: Status, open: () => void): void {
  const button = h("button", { class: "jp-mod-minimal", style: BUTTON, click: open });
  const item = new lab.widgets.Widget({ node: h("div", {}, button) });
  const activeStateChanged = new lab.signaling.Signal(item);
  lines.on(() => {
    const { length } = lines.asked();
    button.textContent = needing(length);
    button.title = "Show what the run waits for";
    activeStateChanged.emit(undefined);
  });
  const isActive = (): boolean => lines.asked().length > 0;
  bar.registerStatusItem("nbdurable:needs", { item, align: "left", isActive, activeStateChanged });
}
