// A line for each notebook that is open, and what all of them need.
//
// A notebook may be open in several tabs («New View for Notebook»). They have one session, so
// they have one line: two would be one page to the kernel, which talks to each page once.

import type { Message, Need } from "../protocol";
import type { Lab, NotebookPanel, NotebookTracker } from "./jupyterlab";
import { Line } from "./line";

/** What needs somebody, and where. */
export interface Asked {
  notebook: NotebookPanel;
  line: Line;
  need: Need;
}

export class Lines {
  private readonly lines = new Map<NotebookPanel, Line>();
  private readonly hearers: (() => void)[] = [];
  private marks = false;

  constructor(tracker: NotebookTracker, services: Lab["services"], failed: (answer: Message) => void) {
    const add = (notebook: NotebookPanel): void => {
      if (this.lines.has(notebook)) return;
      this.lines.set(notebook, this.shared(notebook) ?? this.made(new Line(notebook.sessionContext, services, () => this.tell(), failed)));
      notebook.disposed.connect(() => this.end(notebook));
      this.tell();
    };
    tracker.forEach(add);
    tracker.widgetAdded.connect((_, notebook) => add(notebook));
  }

  get all(): [NotebookPanel, Line][] {
    return [...this.lines];
  }

  of(notebook: NotebookPanel | null): Line | null {
    return (notebook && this.lines.get(notebook)) ?? null;
  }

  /** Each thing once, whatever the number of tabs. */
  asked(): Asked[] {
    const first = new Map<Line, NotebookPanel>();
    for (const [notebook, line] of this.lines) if (!first.has(line)) first.set(line, notebook);
    return [...first].flatMap(([line, notebook]) => line.needs.map((need) => ({ notebook, line, need })));
  }

  /** Say whether all lines are to be told how the cells stand. */
  mark(marks: boolean): void {
    this.marks = marks;
    for (const line of new Set(this.lines.values())) line.mark(marks);
  }

  /** Be called whenever a line stands otherwise, or something else is needed. */
  on(hear: () => void): void {
    this.hearers.push(hear);
  }

  private shared({ sessionContext }: NotebookPanel): Line | undefined {
    return [...this.lines].find(([other]) => other.sessionContext === sessionContext)?.[1];
  }

  private made(line: Line): Line {
    line.mark(this.marks);
    return line;
  }

  private end(notebook: NotebookPanel): void {
    const line = this.of(notebook);
    this.lines.delete(notebook);
    if (line && ![...this.lines.values()].includes(line)) line.close();
    this.tell();
  }

  private tell(): void {
    for (const hear of this.hearers) hear();
  }
}
