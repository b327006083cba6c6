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

/** What each place shows now. */
const SHOWN = new WeakMap<HTMLElement, { what: unknown; told: string | undefined }>();

/**
 * Put new content into a place if what it shows has changed. Who was in the middle of
 * something there stays: the focus and what was typed are found again by `data-key`.
 */
export function fill(place: HTMLElement, shown: unknown, make: () => Child[]): void {
  const known = SHOWN.get(place);
  if (known && known.what === shown) return;
  const told = JSON.stringify(shown);
  SHOWN.set(place, { what: shown, told });
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
