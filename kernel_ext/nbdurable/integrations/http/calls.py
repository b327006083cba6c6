"""An exchange as the journal's protocol sees it: a call with a key and a policy."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping

from nbdurable.engine.calls.requests import CallRequest, Put, no_marks
from nbdurable.engine.codec import Encoded, Unstorable, decode, encode
from nbdurable.engine.past.policy import Effect, Policy
from nbdurable.engine.values import named, previews
from nbdurable.engine.values.redact import Secrets
from nbdurable.integrations.http import inner as parts
from nbdurable.integrations.http.answers import Unkept
from nbdurable.integrations.http.asked import Asked, name_of
from nbdurable.integrations.http.pricing import body_of, costs, measured
from nbdurable.integrations.http.recording import Recording, from_plain, to_plain
from nbdurable.integrations.http.refusals import StreamCut
from nbdurable.integrations.http.told_apart import marks_of
from nbdurable_store.protocol import Stored
from nbdurable_store.records import BlobRef

TEXT_CHARS_MAX = 200
"""Enough of a message to tell one call of an agent from the next."""


def call_of(
    facts: Asked,
    key: bytes,
    policy: Policy,
    secrets: Secrets,
    again: str,
    pepper: bytes,
) -> CallRequest:
    """The call that a request is.

    Args:
        facts: The request.
        key: What it is matched by.
        policy: What is promised of it.
        secrets: What must not be stored.
        again: Logical id of the call whose next attempt it is, or "".
        pepper: That of the store.
    """
    writes = policy.effect is Effect.WRITE and not policy.inner
    return CallRequest(
        name=secrets.scrub(_name(facts, policy)),
        key=key,
        policy=policy,
        kind="http",
        text=lambda: (
            secrets.scrub(_name(facts, policy))
            if policy.inner
            else told(facts, secrets, pepper)
        ),
        arguments=lambda: None if policy.inner else _arguments(facts, secrets),
        marks=functools.partial(marks_of, facts, pepper) if writes else no_marks,
        keep=functools.partial(_kept, secrets),
        decode=functools.partial(_decoded, secrets),
        had=functools.partial(_had, secrets),
        costs=functools.partial(costs, facts) if policy.model else None,
        measure=functools.partial(measured, facts, model=policy.model),
        again=again,
    )


def _name(facts: Asked, policy: Policy) -> str:
    """Method and address; of any host that a tool asks, less what may be a key.

    Nor is the body of such a request kept or shown: the tool's arguments are.
    """
    name = name_of(facts)
    return parts.place(name) if policy.inner else name


def _kept(secrets: Secrets, value: object, put: Put) -> BlobRef:
    if isinstance(value, Unkept):
        raise Unstorable(why=str(value))
    assert isinstance(value, Recording)
    return put(*encode(to_plain(value), secrets=secrets))


def told(facts: Asked, secrets: Secrets, pepper: bytes = b"") -> str:
    """A request as people read it; with a pepper two secrets in it have two marks."""
    body = {} if facts.model else body_of(facts)
    secret = named.marked(body, pepper) if pepper else named.of(body)
    return (secrets.also(secret) if secret else secrets).scrub(_text(facts))


def _had(secrets: Secrets, error: BaseException) -> Encoded | None:
    """The part of an answer that was read; for frozen mode, where it is served."""
    if not isinstance(error, StreamCut) or error.had is None:
        return None
    try:
        return encode(to_plain(error.had), secrets=secrets)
    except Unstorable:
        return None


def _decoded(secrets: Secrets, codec: str, data: bytes | Stored) -> object:
    return from_plain(decode(codec, data, secrets=secrets))


def _text(facts: Asked) -> str:
    """The model and what was said to it last, as people read it."""
    body = body_of(facts)
    said = body.get("messages") or body.get("input") or body.get("contents") or ""
    latest = said[-1] if isinstance(said, list) and said else said
    parts = [str(body["model"])] if "model" in body else []
    parts.append(" ".join(_plain_text(latest).split()) or _with_body(facts, body))
    return previews.shorten(" ← ".join(parts), TEXT_CHARS_MAX)


def _with_body(facts: Asked, body: Mapping[str, object]) -> str:
    """The address, and what is sent there: of two payments it says which is which."""
    secret = named.of(body).keys()  # replaced where it is told
    inside = {name: value for name, value in body.items() if name not in secret}
    told = body and not (facts.model or named.holds_credential(inside))
    sent = json.dumps(body, ensure_ascii=False) if told else ""
    return f"{name_of(facts)} {sent}".rstrip()


def _plain_text(said: object) -> str:
    if isinstance(said, list):
        return " ".join(_plain_text(part) for part in said)
    if isinstance(said, dict):
        found = (said.get(name) for name in ("content", "parts", "text", "output"))
        return next((_plain_text(value) for value in found if value), "")
    return str(said)


def _arguments(facts: Asked, secrets: Secrets) -> Encoded | None:
    body = body_of(facts)
    if not body:  # its address says all
        return None
    if not facts.model and named.holds_credential(body):
        return None
    try:
        encoded = encode(body, secrets=secrets)
    except Unstorable:
        return None
    return encoded if encoded.codec == "json" else None
