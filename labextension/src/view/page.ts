// A page of its own: the same view, with everything that was known when it was written. Who
// writes the page puts the view before this, and hands it over.

import type { Details, Message, Request, Snapshot } from "../protocol";
import type { Host } from "./index";
import { keyOf } from "./state";

interface Written {
  snapshot: Snapshot;
  details: Details[];
}

function still(written: Written): Host {
  const known = new Map(written.details.map((one) => [keyOf(one.attempt, one.call), one]));
  let hear: (message: Message) => void = () => undefined;
  return {
    get: (name) => name === "still",
    on: (_, listener) => (hear = listener),
    off: () => (hear = () => undefined),
    send: (request: Request) => {
      if (request.type === "open") hear(written.snapshot);
      if (request.type === "value") hear(shortened());
      if (request.type === "detail") hear(known.get(keyOf(request.attempt, request.call ?? "")) ?? unknown(request.attempt, request.call ?? ""));
    },
  };
}

/** Of a large run a page holds the values of the latest calls only. */
function unknown(attempt: string, call: string): Details {
  const lines = ["This page does not hold the values of this call. They are in the store: nbdurable show RUN"];
  return { type: "details", attempt, call, title: "Not in this page", lines, error: "", parts: [], key: "", actions: [] };
}

/** A page holds the beginnings of values. */
function shortened(): Message {
  const line = "This page holds the first 2,000 characters of a value. All of it is in the store.";
  return { type: "refused", about: "", line, remedies: ["nd.view()"], to: "", actions: [], again: false };
}

/** Show the run of this page. */
export function start(view: { render(props: { model: Host; el: HTMLElement }): unknown }): void {
  const data = document.getElementById("nbdurable-run");
  const place = document.getElementById("nbdurable-view");
  if (data && place) view.render({ model: still(JSON.parse(data.textContent ?? "") as Written), el: place });
}
