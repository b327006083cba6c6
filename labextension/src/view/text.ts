// Words and numbers as people read them. Pure.

/** The sign of a fate, so that no picture depends on colour. */
export const SIGNS: Record<string, string> = {
  ran: "▮",
  replayed: "↺",
  running: "▶",
  waiting: "…",
  "in doubt": "?",
  error: "✕",
  stopped: "✂",
};

/** What a fate is called in the legend. */
export const MEANS: Record<string, string> = {
  ran: "ran",
  replayed: "replayed, not paid again",
  running: "running",
  waiting: "waits for you",
  "in doubt": "in doubt: may have happened",
  error: "error",
  stopped: "stopped with the kernel",
};

export function duration(ms: number): string {
  if (ms < 1) return "0 ms";
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const rest = minutes % 60;
  return `${Math.floor(minutes / 60)} h${rest ? ` ${rest} min` : ""}`;
}

export function count(number: number, noun: string): string {
  return `${thousands(number)} ${noun}${number === 1 ? "" : "s"}`;
}

export function thousands(number: number): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Time of day in the reader's zone as the source knows it. */
export function clock(us: number, zoneMin: number, seconds = true): string {
  const at = new Date(us / 1_000 + zoneMin * 60_000).toISOString();
  return at.slice(11, seconds ? 19 : 16);
}

/** A text of the front end's own without what turns the direction of what stands beside it, or isn't seen. */
export function plainly(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\ufffd");
}

/** A class name for a fate; anything unknown is drawn as something that ran. */
export function fateClass(fate: string): string {
  return fate in SIGNS ? fate.replace(" ", "-") : "ran";
}
