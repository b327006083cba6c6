"""The account of the outside world survives, and says only what arrived."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

from nbdurable.testing import effects
from nbdurable.testing.account import Account, body_digest, read
from nbdurable.testing.processes import call, start

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

MODEL_SERVER = "nbdurable.testing.model_server"
EFFECTS = "nbdurable.testing.effects"


def test_numbering_goes_on_after_a_restart(tmp_path: Path) -> None:
    """A second server on the same file counts on."""
    for _ in range(2):
        account = Account(tmp_path / "log")
        account.arrived("POST", "/x", "d")
        account.close()
    assert [a.n for a in read(tmp_path / "log")] == [1, 2]


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    """A line whose writer died in the middle of it counts for nothing."""
    account = Account(tmp_path / "log")
    account.arrived("POST", "/x", "d")
    account.close()
    with (tmp_path / "log").open("ab") as file:
        file.write(b'{"n": 2, "at_us"')
    assert [a.n for a in read(tmp_path / "log")] == [1]


def test_a_digest_ignores_the_spelling_of_json() -> None:
    """Order of keys and blanks don't count, values do."""
    assert body_digest(b'{"a":1,"b":2}') == body_digest(b'{"b": 2, "a": 1}')
    assert body_digest(b'{"a":1}') != body_digest(b'{"a":2}')
    assert body_digest(b"\xff") != body_digest(b"\xfe")


def test_an_effect_is_counted_before_its_receipt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that counts effects holds one after it was counted."""
    with start(EFFECTS, tmp_path / "log") as running:
        monkeypatch.setenv(effects.VARIABLE, running.url)
        receipt = effects.effect("send", to="ann")
        assert receipt.startswith("send-")
        assert effects.effect("send", to="bob") != receipt
        seen = call(f"{running.url}/effects")
        assert isinstance(seen, dict)
        assert [e["args"] for e in seen["effects"]] == [{"to": "ann"}, {"to": "bob"}]
    assert [a.more["tool"] for a in read(tmp_path / "log") if a.path == "/effect"] == [
        "send",
        "send",
    ]


def test_without_a_process_effects_go_to_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A notebook that runs alone counts in its own folder, with equal receipts."""
    monkeypatch.delenv(effects.VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    assert effects.effect("send", to="ann") == effects.effect("send", to="ann")
    assert len(read(tmp_path / effects.FILE)) == 2


def test_a_server_ends_with_its_starter_even_if_that_is_killed(tmp_path: Path) -> None:
    """SIGKILL of the starter closes the pipe, and the server goes."""
    program = (
        "import pathlib, sys, nbdurable.testing.processes as p;"
        f"r = p.start({MODEL_SERVER!r}, pathlib.Path(sys.argv[1]));"
        "print(r.process.pid, flush=True); input()"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "log")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert starter.stdout
    assert starter.stdin
    server_pid = int(starter.stdout.readline())
    watch = os.pidfd_open(server_pid) if hasattr(os, "pidfd_open") else None
    starter.send_signal(signal.SIGKILL)
    starter.wait()
    starter.stdin.close()
    starter.stdout.close()
    if watch is not None:
        waiting = select.poll()  # select knows no number above 1,023
        waiting.register(watch, select.POLLIN)
        ended = waiting.poll(20_000)
        os.close(watch)
        assert ended


def test_an_unused_server_ends_by_itself(tmp_path: Path) -> None:
    """Nobody asks for longer than the idle limit: the process is gone."""
    with start(MODEL_SERVER, tmp_path / "log", "--idle-s", "0.1") as running:
        assert running.process.wait(20) == 0


def test_rules_come_through_the_control_path(tmp_path: Path) -> None:
    """Another process can hold a request, see it held, and let it go."""
    with start(EFFECTS, tmp_path / "log") as running:
        running.rule(do="hold", at=1)
        caller = subprocess.Popen(
            [sys.executable, "-m", "timeit", "-n1", "-r1", "-s", _IMPORT, _SEND],
            env={**os.environ, effects.VARIABLE: running.url},
            stdout=subprocess.DEVNULL,
        )
        assert running.wait_held() == [1]
        assert caller.poll() is None
        running.release()
        assert caller.wait(20) == 0


_IMPORT = "from nbdurable.testing.effects import effect"
_SEND = "effect('send', to='ann')"


def test_a_command_finds_the_server_by_the_sdks_own_variables(tmp_path: Path) -> None:
    """The server lives as long as the command, and passes on how it ended."""
    program = (
        "import openai, sys;"
        "openai.OpenAI().embeddings.create(model='m', input='x'); sys.exit(3)"
    )
    server = [sys.executable, "-m", MODEL_SERVER, "--log", str(tmp_path / "log")]
    ended = subprocess.run([*server, "--", sys.executable, "-c", program], check=False)
    assert ended.returncode == 3
    assert [a.path for a in read(tmp_path / "log")] == ["/v1/embeddings"]


def test_a_request_whose_sender_died_is_counted_before_the_server_is_quiet(
    tmp_path: Path,
) -> None:
    """Whole requests in the socket count, half ones don't."""
    with start(EFFECTS, tmp_path / "log") as running:
        place = ("127.0.0.1", int(running.url.rpartition(":")[2]))
        for length in (2, 3):
            with socket.create_connection(place) as sender:
                head = f"POST /effect HTTP/1.1\r\ncontent-length: {length}\r\n\r\n"
                sender.sendall(head.encode() + b"{}")
        assert running.wait_quiet()
        assert len(read(tmp_path / "log")) == 1
