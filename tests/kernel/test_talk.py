"""What a view is told while its run can't be read."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

import pytest

from nbdurable.kernel import talk
from nbdurable.timeline.protocol import Message, Told
from nbdurable_store.errors import BlobMissing

NEWS = Told(about="", line="news")


class Failing:
    """A source that fails for a while."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.refuses: Exception = OSError(28, "No space left on device")
        self.recovered = threading.Event()

    def hear(self, said: object) -> Sequence[Message]:
        """Fail, whatever is asked."""
        raise self.refuses

    def poll(self) -> Sequence[Message]:
        """Fail, then tell something."""
        if self.errors:
            raise self.errors.pop(0)
        return [] if self.recovered.is_set() else [NEWS]


def test_one_error_ends_no_view(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told once that the run can't be read; when it can, the view opens anew."""
    monkeypatch.setattr(talk, "AFTER_ERROR_S", 0.01)
    full = [OSError(24, "Too many open files") for _ in range(3)]
    source = Failing(BlobMissing(id="00", place="here"), *full)
    heard: list[Mapping[str, object]] = []

    def say(said: Mapping[str, object]) -> None:
        heard.append(said)
        if said.get("again"):
            source.recovered.set()

    talking = talk.Talk(source, say)
    assert source.recovered.wait(60)
    talking.close()
    lines = [str(said["line"]) for said in heard]
    assert [said["type"] for said in heard] == ["refused", "refused", "told", "refused"]
    assert lines[1] == (
        "The run can't be read now: [Errno 24] Too many open files. It is tried again."
    )
    assert lines[2] == "news"


def test_a_request_that_fails_is_answered() -> None:
    """Who asked learns what was in the way, and which of its requests that was."""
    source = Failing()
    source.recovered.set()
    heard: list[Mapping[str, object]] = []
    talking = talk.Talk(source, heard.append)
    talking.hear({"type": "act", "ask": "q"})
    talking.close()
    assert (heard[0]["to"], heard[0]["type"]) == ("q", "refused")


def test_a_defect_ends_no_view(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody foresaw is told as well, to who asked and to who looks on."""
    monkeypatch.setattr(talk, "AFTER_ERROR_S", 0.01)
    source = Failing(KeyError("findings"))
    source.refuses = ZeroDivisionError("division by zero")
    heard: list[Mapping[str, object]] = []

    def say(said: Mapping[str, object]) -> None:
        heard.append(said)
        if said.get("again"):
            source.recovered.set()

    talking = talk.Talk(source, say)
    assert source.recovered.wait(60)
    talking.hear({"type": "act", "ask": "q"})
    talking.close()
    lines = [str(said["line"]) for said in heard]
    assert "a defect, the run is not read: KeyError('findings')" in lines[0]
    assert heard[-1]["to"] == "q"
    assert "ZeroDivisionError" in lines[-1]
