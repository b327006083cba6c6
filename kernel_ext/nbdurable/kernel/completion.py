"""Tab completion of `%durable` and `%%durable`, in every way IPython asks for it.

One matcher of IPython's list of custom matchers serves both its doors: `completions`,
which kernels use, and the older `complete`. The hook `complete_command` was rejected: it
sees neither cell magics nor the place of the cursor in a cell.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nbdurable.kernel.defects import contained

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext, SimpleMatcherResult
    from IPython.core.interactiveshell import InteractiveShell

    from nbdurable.engine.past.history import History

KIND = "magic"
"""What front ends show beside a completion; IPython says the same of its magics."""


class Completion:
    """Installed on a shell until `close`.

    Args:
        shell: The running IPython.
        run: Reads the run of the notebook; None where there is none.
    """

    def __init__(
        self, shell: InteractiveShell, run: Callable[[], History | None]
    ) -> None:
        from IPython.core.completer import context_matcher

        self._run = run
        self._completer: Any = shell.Completer

        def matcher(context: CompletionContext) -> SimpleMatcherResult:
            return self._match(context)

        mark: Any = context_matcher(identifier="nbdurable")  # its type is lost
        mark(matcher)
        self._matcher = matcher
        self._completer.custom_matchers.append(self._matcher)

    def close(self) -> None:
        """Take the matcher away again. Idempotent."""
        matchers = self._completer.custom_matchers
        if self._matcher in matchers:
            matchers.remove(self._matcher)

    def _match(self, context: CompletionContext) -> SimpleMatcherResult:
        from IPython.core.completer import SimpleCompletion

        from nbdurable.kernel.offers import offer

        found = None
        if "durable" in context.line_with_cursor:
            with contained("a line can't be completed"):
                found = offer(
                    context.full_text,
                    context.cursor_line,
                    context.cursor_position,
                    self._history,
                )
        if found is None:
            return {"completions": []}
        return {
            "completions": [SimpleCompletion(w, type=KIND) for w in found.instead],
            "matched_fragment": found.word,
            "ordered": True,
            "suppress": True,
        }

    def _history(self) -> History | None:
        """The run, unless a cell may be adding to it in the main thread just now."""
        if threading.current_thread() is not threading.main_thread():
            return None
        return self._run()
