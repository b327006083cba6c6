// What this window is called: by the same name after it was loaded anew, so that a kernel ends
// what it still told the page before. A window that was opened as a copy has another name.

const KEY = "nbdurable:page";

let known = "";

export function page(): string {
  known ||= (anew() && sessionStorage.getItem(KEY)) || `${Date.now()}-${Math.random()}`;
  sessionStorage.setItem(KEY, known);
  return known;
}

function anew(): boolean {
  const [how] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return how?.type === "reload";
}
