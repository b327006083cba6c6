"""The widget of a question: buttons, a field, a choice, or a form.

It is made of ipywidgets where they are installed, in kernels that answer a front end while
a cell runs (subshells, ipykernel 7.1 and newer): elsewhere a click would be heard only
after the cell, which waits for it.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from nbdurable.engine.past.waits import AnswerKind, Wait, WaitKind
from nbdurable.engine.values.plainly import visible
from nbdurable.kernel.collapse import WIDGET

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

VIEW: Final = {"version_major": 2, "version_minor": 0}
"""The version of the message that shows a widget."""

Reply = Callable[[object, str], str]


def panel(shell: InteractiveShell, wait: Wait, told: str, reply: Reply) -> Panel | None:
    """The widget of a question; None where none would be of use.

    Args:
        shell: Where the cell runs.
        wait: The question.
        told: The line with the commands.
        reply: Takes the answer.
    """
    kernel = getattr(shell, "kernel", None)
    listens = bool(getattr(kernel, "_supports_kernel_subshells", False))
    asks = wait.kind in {WaitKind.APPROVAL, WaitKind.QUESTION}
    if not (listens and asks) or find_spec("ipywidgets") is None:
        return None
    return Panel(wait, told, reply)


class Panel:
    """A widget under a cell.

    Args:
        wait: The question.
        told: The line with the commands.
        reply: Takes the answer.
    """

    def __init__(self, wait: Wait, told: str, reply: Reply) -> None:
        import ipywidgets  # type: ignore[import-untyped]  # lazy: most notebooks ask nothing

        self._made = ipywidgets
        self._reply = reply
        self._said = ipywidgets.HTML()
        self._buttons: list[Any] = []
        self._fields: dict[str, Any] = {}
        asked = ipywidgets.HTML(f"<b>{html.escape(visible(wait.text))}</b>")
        note = f"<small>{html.escape(told)}</small>"
        parts = self._parts(wait)
        self._box = ipywidgets.VBox([asked, *parts, self._said, ipywidgets.HTML(note)])
        route(self._box)

    def view(self) -> dict[str, Any]:
        """What shows it, as a MIME bundle."""
        return {WIDGET: {**VIEW, "model_id": self._box.model_id}}

    def close(self, line: str) -> None:
        """Leave one line in its place, in every copy that a front end has of it."""
        ended = self._made.HTML(html.escape(line))
        self._box.children = (ended,)

    def _parts(self, wait: Wait) -> list[Any]:
        if wait.answer is AnswerKind.YES_NO and not (wait.choices or wait.form):
            yes = self._button("Yes", "success", lambda: True)
            no = self._button("No", "", lambda: False)
            return [self._made.HBox([yes, no])]
        if wait.choices:
            field = self._made.Dropdown(options=list(wait.choices))
            return [self._made.HBox([field, self._answer(lambda: field.value)])]
        if wait.form:
            for name, kind in wait.form.items():
                self._fields[name] = self._field(kind, visible(name, lines=False))
            rows = list(self._fields.values())
            return [self._made.VBox([*rows, self._answer(self._filled)])]
        field = self._field(wait.answer, "")
        return [
            self._made.HBox([field, self._answer(lambda: said(field, wait.answer))])
        ]

    def _filled(self) -> Mapping[str, object]:
        return {name: said(field, field.kind) for name, field in self._fields.items()}

    def _field(self, kind: AnswerKind, name: str) -> Any:
        made = {
            AnswerKind.NUMBER: self._made.FloatText,
            AnswerKind.INTEGER: self._made.IntText,
            AnswerKind.YES_NO: self._made.Checkbox,
        }
        field = made.get(kind, self._made.Text)(description=name)
        field.kind = kind
        return field

    def _answer(self, value: Callable[[], object]) -> Any:
        return self._button("Answer", "primary", value)

    def _button(self, name: str, style: str, value: Callable[[], object]) -> Any:
        button = self._made.Button(description=name, button_style=style)
        button.on_click(lambda _: self._click(value))
        self._buttons.append(button)
        return button

    def _click(self, value: Callable[[], object]) -> None:
        self._enable(on=False)  # clicked twice is answered once
        wrong = self._reply(value(), "widget")
        self._said.value = html.escape(wrong or "answered")
        self._enable(on=bool(wrong))

    def _enable(self, *, on: bool) -> None:
        for button in self._buttons:
            button.disabled = not on


def said(field: Any, kind: AnswerKind) -> object:
    """What stands in a field."""
    value: object = field.value
    whole = kind is AnswerKind.NUMBER and isinstance(value, float)
    return int(value) if whole and value.is_integer() else value  # type: ignore[attr-defined,call-overload]  # whole says that it is a float


def route(widget: Any) -> None:
    """Let clicks be heard while the cell that made a widget blocks.

    ipykernel 7.4 sends a message to a comm to the shell that used the comm last. That is
    the main one, which waits for the answer.
    """
    todo = [widget]
    while todo:
        one = todo.pop()
        if getattr(one, "comm", None) is not None:
            one.comm._reply_subshell_for = None  # noqa: SLF001  # there is no other way
        todo += [*getattr(one, "children", ())]
