// A line for each notebook that is open, and what all of them need.

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
      const line = new Line(notebook.sessionContext, services, () => this.tell(), failed);
      line.mark(this.marks);
      this.lines.set(notebook, line);
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

  asked(): Asked[] {
    return [...this.lines].flatMap(([notebook, line]) => line.needs.map((need) => ({ notebook, line, need })));
  }

  /** Say whether all lines are to be told how the cells stand. */
  mark(marks: boolean): void {
    this.marks = marks;
    for (const line of this.lines.values()) line.mark(marks);
  }

  /** Be called whenever a line stands otherwise, or something else is needed. */
  on(hear: () => void): void {
    this.hearers.push(hear);
  }

  private end(notebook: NotebookPanel): void {
    this.lines.get(notebook)?.close();
    this.lines.delete(notebook);
    this.tell();
  }

  private tell(): void {
    for (const hear of this.hearers) hear();
  }
}
