// What the panel says where there is no run to show, each with what to do next. Pure.

import type { Standing } from "./line";

export interface Sentence {
  line: string;
  /** When to do what. */
  then: [string, string][];
}

export const SENTENCES: Record<Standing | "no notebook", Sentence | null> = {
  open: null,
  "no notebook": { line: "No notebook is in front. Open one to see its run.", then: [] },
  "no kernel": {
    line: "This notebook has no kernel. Shown is what is stored; answers are kept for when it goes on.",
    then: [["To go on:", "Kernel → Restart Kernel…"]],
  },
  starting: { line: "The kernel is starting…", then: [] },
  "not loaded": {
    line: "nbdurable is not loaded in this kernel.",
    then: [
      ["Run in a cell:", "%load_ext nbdurable"],
      ["Not installed there?", "%pip install nbdurable"],
    ],
  },
};
