// The only place where elements are made. Text becomes text, never markup.

type Child = Node | string | null | false | undefined;
type Props = Record<string, string | number | boolean | null | undefined | ((event: Event) => void)>;

/** An element; functions become listeners, true and text become attributes. */
export function h<K extends keyof HTMLElementTagNameMap>(
  name: K,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") made.addEventListener(key, value);
    else made.setAttribute(key, value === true ? "" : String(value));
  }
  for (const child of children) if (child) made.append(child);
  return made;
}

/** For a button that does nothing for now, and keeps the focus: one that is disabled loses it. */
export function held(now: boolean, click: () => void): Props {
  return { click: () => now || click(), "aria-disabled": now ? "true" : null };
}

/** What each place shows now. */
const SHOWN = new WeakMap<HTMLElement, { what: unknown; told: string | undefined; about: string }>();

/**
 * Put new content into a place if what it shows has changed. Who was in the middle of
 * something there stays: the focus and what was typed are found again by `data-key`, and
 * a question that is open there stays until it is answered, while it is about the same.
 */
export function fill(place: HTMLElement, shown: unknown, make: () => Child[], about = ""): void {
  const known = SHOWN.get(place);
  if (known && known.what === shown) return;
  if (known?.about === about && place.querySelector("[role=alertdialog]")) return;
  const told = JSON.stringify(shown);
  SHOWN.set(place, { what: shown, told, about });
  if (known?.told === told) return;
  const root = place.getRootNode() as Document | ShadowRoot;
  const focused = place.contains(root.activeElement) ? (root.activeElement as HTMLElement).dataset.key : undefined;
  const typed = new Map<string, string>();
  for (const field of place.querySelectorAll("input")) typed.set(field.dataset.key ?? "", field.value);
  place.replaceChildren(...make().filter((child): child is Node | string => Boolean(child)));
  for (const field of place.querySelectorAll("input")) field.value = typed.get(field.dataset.key ?? "") ?? "";
  if (!focused) return;
  for (const one of place.querySelectorAll<HTMLElement>("[data-key]")) if (one.dataset.key === focused) one.focus();
}
