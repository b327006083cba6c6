"""Show recorded outputs again, as if the cell had run now.

Everything goes through IPython's own doors (streams, display_pub, the steps of
displayhook), so that parent, execution count and ``with output:`` contexts are those of
the running request, in a kernel and in a terminal.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def show(
    shell: InteractiveShell,
    outputs: Sequence[Mapping[str, Any]],
    *,
    has_result: bool = False,
    result: object = None,
) -> None:
    """Show outputs in order; the last `execute_result` becomes ``Out[n]`` and ``_``.

    Args:
        shell: Where the cell runs.
        outputs: Collapsed outputs.
        has_result: Whether the value of the last expression is known.
        result: That value.
    """
    kinds = [output["type"] for output in outputs]
    last = len(kinds) - 1 - kinds[::-1].index(_RESULT) if _RESULT in kinds else -1
    for i, output in enumerate(outputs):
        _show_one(shell, output, known=has_result and i == last, result=result)
    if has_result and last < 0:
        shell.displayhook.update_user_ns(result)
        shell.displayhook.fill_exec_result(result)


_RESULT = "execute_result"


def _show_one(
    shell: InteractiveShell, output: Mapping[str, Any], *, known: bool, result: object
) -> None:
    kind = output["type"]
    if kind == "stream":
        stream = sys.stderr if output["name"] == "stderr" else sys.stdout
        stream.write(output["text"])
        stream.flush()
    elif kind == _RESULT:
        _show_result(shell, output, known=known, result=result)
    elif kind == "error":
        _show_error(shell, output)
    else:
        shell.display_pub.publish(
            data=output["data"],
            metadata=output.get("metadata") or {},
            transient=output.get("transient") or {},
            update=kind == "update_display_data",
        )


def _show_result(
    shell: InteractiveShell, output: Mapping[str, Any], *, known: bool, result: object
) -> None:
    """The steps of `DisplayHook.__call__`, with the recorded data as the format."""
    hook = shell.displayhook
    hook.check_for_underscore()
    hook.start_displayhook()
    hook.write_output_prompt()
    if known:
        hook.update_user_ns(result)
        hook.fill_exec_result(result)
    hook.write_format_data(output["data"], output.get("metadata") or {})
    with contextlib.suppress(Exception):  # a log is no reason to break a replay
        hook.log_output(output["data"])
    hook.finish_displayhook()


def _show_error(shell: InteractiveShell, output: Mapping[str, Any]) -> None:
    """A traceback that the cell showed and survived."""
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        sys.stderr.write("\n".join(output["traceback"]) + "\n")
        return
    content = {name: output[name] for name in ("ename", "evalue", "traceback")}
    kernel.send_response(kernel.iopub_socket, "error", content)
