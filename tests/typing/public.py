"""What a type checker sees of the public functions; checked by mypy, never run."""

from __future__ import annotations

from typing import assert_type

import nbdurable as nd


@nd.tool
def pay(who: str, amount: int = 1) -> str:
    """A tool with a default."""
    return f"{who}: {amount}"


@nd.tool(effect="read", stable=True, ignore=("log",), name="find", not_done=(OSError,))
def search(query: str, log: object = None) -> list[str]:
    """A tool with options."""
    return [query]


@nd.tool(effect="pure", on_doubt="retry")
async def rank(texts: list[str]) -> dict[str, float]:
    """A tool that awaits."""
    return dict.fromkeys(texts, 0.0)


@nd.tool(
    timeout=30, retry=nd.Retry(attempts=5, wait=0.5, on=(ConnectionError, OSError))
)
def send(text: str) -> bool:
    """A tool that is tried again."""
    return bool(text)


@nd.step
def research(topic: str) -> list[str]:
    """A step inside a cell."""
    return search(topic)


@nd.step(name="work", ignore="log")
async def work(topic: str, log: object = None) -> float:
    """A step with options that awaits."""
    return (await rank([topic]))[topic]


class Ready:
    """A framework's ready tool: it has a name, and isn't callable."""

    name = "found"
    description = "finds"


class Desk:
    """A desk with a tool."""

    @nd.tool
    def file(self, text: str) -> int:
        """A tool that is a method."""
        return len(text)


async def use() -> None:
    """A tool keeps the signature of its function, sync, async and as a method."""
    assert_type(pay("ann", amount=2), str)
    assert_type(search("batteries"), list[str])
    assert_type(await rank(["a"]), dict[str, float])
    assert_type(send("x"), bool)
    assert_type(nd.idempotency_key(), str)
    assert_type(Desk().file("x"), int)
    assert_type(research("batteries"), list[str])
    assert_type(await work("batteries"), float)
    assert_type(nd.tool(Ready()), Ready)
    assert_type(nd.tool(effect="read")(Ready()), Ready)


def misuse() -> None:
    """Wrong arguments are seen: an unused ignore would fail the check."""
    pay(3)  # type: ignore[arg-type]  # a number for a name
    search()  # type: ignore[call-arg]  # no query
    nd.resolve(3)  # type: ignore[arg-type]  # a number for STEP.CALL


def pauses() -> tuple[type[BaseException], type[Exception]]:
    """A pause is no Exception, so that `except Exception` can't swallow it."""
    return nd.DurablePause, nd.DurableError


def mistaken() -> type[Exception]:
    """Taking a pause for an Exception is seen."""
    return nd.DurablePause  # type: ignore[return-value]  # a BaseException


class Session:
    """A class without a digest."""

    host = "localhost"


@nd.register_digest(Session)
def by_host(session: Session) -> str:
    """A registered function keeps its type."""
    return session.host


assert_type(by_host(Session()), str)
nd.register_digest("package.Session", by_host, version="2")
