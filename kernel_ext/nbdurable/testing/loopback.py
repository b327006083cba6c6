"""A small HTTP server on the loopback address that counts before it answers.

Order of one request:
1. read it whole;
2. count it in the account, synced: from here on it has arrived;
3. apply the rules (hold, slow, fail);
4. answer, in one piece or in chunks; a ``cut`` rule closes the connection in between.

Control, for tests in other processes: ``POST /control`` adds a rule, ``{"release":
true}`` lets held requests go, ``{"clear": true}`` forgets all rules;
``GET /control/held?timeout_s=30`` answers as soon as a request is held,
``GET /control/quiet?timeout_s=30`` as soon as nobody else is connected, so that all
that was sent has been counted. Control is never counted.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from nbdurable.testing.account import Account, body_digest
from nbdurable.testing.rules import Rule, Rules
from nbdurable_store.clock import SYSTEM_CLOCK, Clock

HOST = "127.0.0.1"
BODY_BYTES_MAX = 64 << 20
"""A larger body is a mistake; it is refused before it is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request that was counted; ``plain`` is its JSON body, or an empty dict."""

    n: int
    method: str
    path: str
    digest: str
    headers: Mapping[str, str]
    body: bytes
    plain: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer: ``chunks`` are sent one by one when ``stream`` is set."""

    chunks: Sequence[bytes]
    status: int = 200
    media: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    stream: bool = False


def json_reply(value: object, status: int = 200, **headers: str) -> Reply:
    """A whole JSON answer."""
    data = json.dumps(value).encode()
    named = {k.replace("_", "-"): v for k, v in headers.items()}
    return Reply(chunks=(data,), status=status, headers=named)


Respond = Callable[[Request], Reply]


class LoopbackServer:
    """Runs in a thread of this process; a context manager.

    Args:
        log: File of the account; created if absent, else continued.
        respond: Makes the answer to a counted request.
        port: TCP port, 0 for any free one.
        clock: Where time comes from.
    """

    def __init__(
        self, log: Path, respond: Respond, *, port: int = 0, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self.account = Account(log, clock)
        self.rules = Rules()
        self.respond = respond
        self.clock = clock
        self.busy_until_s = clock.monotonic_s()
        handler = type("Handler", (_Handler,), {"owner": self})
        self._http = _Connections((HOST, port), handler)
        self.url = f"http://{HOST}:{self._http.server_address[1]}"
        self._thread = threading.Thread(
            target=self._http.serve_forever, args=(0.1,), name="loopback", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.rules.clear()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
        self.account.close()

    def touch(self) -> None:
        """Say that somebody uses the server: its idle limit begins anew."""
        self.busy_until_s = self.clock.monotonic_s()

    def wait_quiet(self, timeout_s: float, others: int = 0) -> bool:
        """Wait until at most ``others`` connections are open; false after the timeout."""
        return self._http.wait_quiet(timeout_s, others)


class _Connections(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    block_on_close = False
    """A held request of a client that was killed must not keep the server."""

    def __init__(self, *args: Any) -> None:
        self._open = 0
        self._changed = threading.Condition()
        super().__init__(*args)

    def wait_quiet(self, timeout_s: float, others: int) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._open <= others, timeout_s)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._count(1)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self._count(-1)

    def _count(self, change: int) -> None:
        with self._changed:
            self._open += change
            self._changed.notify_all()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is the point of most tests, no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: LoopbackServer

    def do_GET(self) -> None:
        """Answer a GET."""
        self._serve(b"")

    def do_POST(self) -> None:
        """Answer a POST."""
        size = int(self.headers.get("content-length") or 0)
        if size > BODY_BYTES_MAX:
            self._send(json_reply({"error": {"message": "body too large"}}, 413))
            return
        body = self.rfile.read(size)
        if len(body) == size:  # else the client died in the middle of its request
            self._serve(body)

    def _serve(self, body: bytes) -> None:
        self.owner.touch()
        if urlsplit(self.path).path.startswith("/control"):
            self._send(_control(self.owner, self.path, body))
            return
        request = self._counted(body)
        rules = self.owner.rules.take(request.n, body.decode("utf-8", "replace"))
        self._pause(request.n, rules)
        reply = _refusal(rules) or self.owner.respond(request)
        reply = _broken(reply, rules)
        cut = next((r.chunks for r in rules if r.do == "cut"), None)
        self._send(reply, cut)
        if cut is None:
            self.owner.account.answered(request.n, reply.status)
        self.owner.touch()

    def _counted(self, body: bytes) -> Request:
        plain, digest = _plain(body), body_digest(body)
        more = {k: plain[k] for k in ("model", "stream", "tool", "args") if k in plain}
        n = self.owner.account.arrived(self.command, self.path, digest, **more)
        return Request(
            n=n,
            method=self.command,
            path=urlsplit(self.path).path,
            digest=digest,
            headers={k.lower(): v for k, v in self.headers.items()},
            body=body,
            plain=plain,
        )

    def _pause(self, n: int, rules: tuple[Rule, ...]) -> None:
        for rule in rules:
            if rule.do == "slow":
                self.owner.clock.sleep(rule.ms / 1000)
            elif rule.do == "hold":
                self.owner.rules.hold(n)

    def _send(self, reply: Reply, cut: int | None = None) -> None:
        self.send_response(reply.status)
        self.send_header("content-type", reply.media)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        whole = b"" if reply.stream else b"".join(reply.chunks)
        if reply.stream:
            self.send_header("transfer-encoding", "chunked")
        else:
            self.send_header("content-length", str(len(whole)))
        self.end_headers()
        for i, piece in enumerate(_frames(reply, whole)):
            if i == cut:
                break
            self.wfile.write(piece)
        if cut is not None:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name in http.server
        """The account is the log."""


def _frames(reply: Reply, whole: bytes) -> Iterator[bytes]:
    if not reply.stream:
        half = len(whole) // 2
        yield from (whole[:half], whole[half:])
        return
    for chunk in reply.chunks:
        yield b"%x\r\n%b\r\n" % (len(chunk), chunk)
    yield b"0\r\n\r\n"


def _plain(body: bytes) -> Mapping[str, object]:
    try:
        plain = json.loads(body)
    except ValueError:
        return {}
    return plain if isinstance(plain, dict) else {}


def _refusal(rules: tuple[Rule, ...]) -> Reply | None:
    for rule in rules:
        if rule.do == "fail":
            kind = (
                "rate_limit_error" if rule.status == 429 else "server_error"
            )  # HTTP's own number
            error = {"type": kind, "message": f"told to fail with {rule.status}"}
            value = {"type": "error", "error": error}
            return json_reply(
                value, rule.status, retry_after_ms=str(rule.retry_after_ms)
            )
    return None


def _broken(reply: Reply, rules: tuple[Rule, ...]) -> Reply:
    for rule in rules:
        if rule.do == "break" and reply.stream:
            error = {"type": "server_error", "message": "told to break"}
            said = json.dumps({"type": "error", "error": error}).encode()
            event = b"event: error\ndata: " + said + b"\n\n"
            return replace(reply, chunks=(*reply.chunks[: rule.chunks], event))
    return reply


def _control(server: LoopbackServer, path: str, body: bytes) -> Reply:
    url, rules = urlsplit(path), server.rules
    timeout_s = float(parse_qs(url.query).get("timeout_s", ["30"])[0])
    if url.path == "/control/held":
        return json_reply({"held": rules.wait_held(timeout_s)})
    if url.path == "/control/quiet":
        return json_reply({"quiet": server.wait_quiet(timeout_s, others=1)})
    plain = _plain(body)
    if plain.get("release"):
        rules.release()
    elif plain.get("clear"):
        rules.clear()
    else:
        try:
            rules.add(Rule.from_plain(plain))
        except ValueError as error:
            return json_reply({"error": {"message": str(error)}}, 400)
    return json_reply({"ok": True})
