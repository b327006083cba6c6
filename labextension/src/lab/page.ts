// What this window is called: by the same name after it was loaded anew, so that a kernel ends
// what it still told the page before. A window that was opened as a copy has another name, and
// one that may keep nothing has another one each time.

const KEY = "nbdurable:page";

let known = "";

export function page(): string {
  known ||= before() || `${Date.now()}-${Math.random()}`;
  keep(known);
  return known;
}

function before(): string | null {
  const [how] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  try {
    return how?.type === "reload" ? sessionStorage.getItem(KEY) : null;
  } catch {
    return null; // whoever lets no page keep anything
  }
}

function keep(name: string): void {
  try {
    sessionStorage.setItem(KEY, name);
  } catch {
    return;
  }
}
