// Stored values as they are read best: conversations, tables, images, differences, text.
//
// Everything but `html` becomes text or an image. HTML that a cell showed was written anew
// by the source; here it goes into a frame in which nothing runs, nothing loads and nothing
// reaches the page around it.

import type { Part, Piece } from "../protocol";
import { h } from "./dom";
import { thousands } from "./text";

/** Asks for a piece of a part, from a character on. */
export type More = (part: string, start: number) => void;

const IMAGE = /^image\/(png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/]+=*$/;
/** Written so that a page that holds this script isn't ended by it. */
const STYLED = ["<", "/style>"].join("");
const FRAME_ROWS = 12;
const ROW_HEIGHT = 27;

/** What a piece may hold: 20,000 characters are laid out at once, never more. */
export function valueOf(part: Part, piece: Piece | undefined, more: More): Node[] {
  const about = part.note ? `${part.title} (${part.note})` : part.title;
  const head = h("h3", {}, about);
  switch (part.kind) {
    case "chat":
      return [head, chat(part.rows)];
    case "table":
      return [head, table(part)];
    case "image":
      return [head, image(part)];
    case "html":
      return [head, frame(part)];
    case "diff":
      return [head, difference(part.text)];
    default:
      return [head, ...text(part, piece, more)];
  }
}

function text(part: Part, piece: Piece | undefined, more: More): Node[] {
  const shown = piece?.text ?? part.text;
  const made: Node[] = shown ? [h("pre", { tabindex: 0, "aria-label": part.title }, shown)] : [];
  return part.chars ? [...made, pager(part, piece, more)] : made;
}

/** Which characters are shown, and the way to the others. */
function pager(part: Part, piece: Piece | undefined, more: More): HTMLElement {
  const chars = piece?.chars ?? part.chars;
  if (!piece) {
    const told = chars > 0 ? `show all ${thousands(chars)} characters` : "show it as text";
    return h("p", {}, h("button", { "data-key": `all ${part.title}`, click: () => more(part.title, 0) }, told));
  }
  const [from, to] = [piece.start, piece.start + piece.text.length];
  const step = Math.max(1, piece.text.length);
  const before = h(
    "button",
    { "data-key": `before ${part.title}`, disabled: from === 0, click: () => more(part.title, Math.max(0, from - step)) },
    "‹ earlier",
  );
  const after = h("button", { "data-key": `after ${part.title}`, disabled: to >= chars, click: () => more(part.title, to) }, "later ›");
  const told = h("span", { class: "soft", role: "status" }, `${thousands(from + 1)}–${thousands(to)} of ${thousands(chars)} characters`);
  return h("p", { class: "pager" }, before, after, told);
}

function chat(rows: string[][]): HTMLElement {
  const turns = rows.map(([who = "", said = ""]) =>
    h("div", { class: who === "user" ? "turn mine" : "turn" }, h("b", {}, h("bdi", {}, who)), h("pre", {}, said)),
  );
  return h("div", { class: "chat", tabindex: 0, role: "group", "aria-label": "conversation" }, ...turns);
}

function table(part: Part): HTMLElement {
  const [heads = [], ...rows] = part.rows;
  const head = h("tr", {}, ...heads.map((name) => h("th", { scope: "col" }, h("bdi", {}, name))));
  const body = rows.map((cells) => h("tr", {}, ...cells.map((cell) => h("td", {}, h("bdi", {}, cell)))));
  const made = h("table", {}, h("thead", {}, head), h("tbody", {}, ...body));
  return h("div", { class: "frame", tabindex: 0, role: "group", "aria-label": part.title }, made);
}

function image(part: Part): HTMLElement {
  if (!IMAGE.test(part.text)) return h("p", { class: "soft" }, "This image can't be shown.");
  return h("img", { src: `data:${part.text}`, alt: "an image that the cell showed" });
}

function frame(part: Part): HTMLElement {
  const rows = part.text.split("<tr").length - 1;
  const made = h("iframe", { sandbox: "", title: "what the cell showed", loading: "lazy", referrerpolicy: "no-referrer" });
  const rules = "body{margin:8px;font:13px system-ui,sans-serif;color:CanvasText;background:Canvas}table{border-collapse:collapse}td,th{padding:2px 10px;text-align:end;border-top:1px solid GrayText}img{max-width:100%}";
  const nothing = "default-src 'none';style-src 'unsafe-inline';img-src data:";
  made.srcdoc = `<!doctype html><meta http-equiv="Content-Security-Policy" content="${nothing}"><meta name="color-scheme" content="light dark"><style>${rules}${STYLED}${part.text}`;
  made.style.height = `${Math.min(FRAME_ROWS, Math.max(3, rows + 1)) * ROW_HEIGHT}px`;
  return made;
}

function difference(told: string): HTMLElement {
  const lines = told.split("\n").map((line) => {
    const sign = line.trim()[0];
    return h("div", { class: sign === "+" ? "more" : sign === "−" ? "less" : "" }, line);
  });
  return h("pre", { class: "diff", tabindex: 0, "aria-label": "what changed" }, ...lines);
}
