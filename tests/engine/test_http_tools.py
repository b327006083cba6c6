"""What a `write` tool asks over HTTP is a part of its call: answered once, asked once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nbdurable.engine.past.decide import Past, Verdict, decide
from nbdurable.engine.past.policy import Effect, Policy
from nbdurable.engine.past.settle import Answer, questions
from nbdurable.errors import DurablePause
from nbdurable.integrations.http import inner, install, remove
from nbdurable.testing import account, processes
from nbdurable.testing.processes import Running
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import settle

LIBRARIES = {
    "httpx": """import httpx
client = httpx.Client()
def ask(method, body=None, path="/effect"):
    return client.request(method, URL + path, json=body)
""",
    "requests": """import requests
client = requests.Session()
def ask(method, body=None, path="/effect"):
    return client.request(method, URL + path, json=body)
""",
    "httpx, async": """import httpx, asyncio, contextlib
client = contextlib.ExitStack()
async def asking(method, body, path):
    async with httpx.AsyncClient() as session:
        return await session.request(method, URL + path, json=body)
def ask(method, body=None, path="/effect"):
    return asyncio.run(asking(method, body, path))
""",
    "httpx2": """import httpx2
client = httpx2.Client()
def ask(method, body=None, path="/effect"):
    return client.request(method, URL + path, json=body)
""",
    "aiohttp": """import aiohttp, asyncio, contextlib, types
client = contextlib.ExitStack()
async def asking(method, body, path):
    async with aiohttp.ClientSession() as session:
        async with session.request(method, URL + path, json=body) as response:
            said = await response.json()
            return types.SimpleNamespace(json=lambda: said, status_code=response.status)
def ask(method, body=None, path="/effect"):
    return asyncio.run(asking(method, body, path))
""",
}

TOOLS = """
import nbdurable as nd
fail = []

def broken():
    if fail:
        raise fail.pop()

@nd.tool(effect="write", on_doubt="retry")
def pay(who):
    receipt = ask("POST", {"tool": "pay", "args": {"who": who}}).json()
    broken()
    return receipt
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A process that counts what it is asked."""
    log = tmp_path_factory.mktemp("service") / "asked.jsonl"
    with processes.start("nbdurable.testing.effects", log) as running:
        yield running


@pytest.fixture
def asked(service: Running) -> Iterator[Asked]:
    """What this test asks of it."""
    service.clear()
    yield Asked(service)
    service.clear()


class Asked:
    """What was asked since."""

    def __init__(self, service: Running) -> None:
        self.service = service
        self._before = len(account.read(service.log))

    def paths(self) -> list[str]:
        """Method and path of each request."""
        new = account.read(self.service.log)[self._before :]
        return [f"{a.method} {a.path}" for a in new]

    def posts(self) -> int:
        """How many things were done."""
        return self.paths().count("POST /effect")


@pytest.fixture(autouse=True)
def seam() -> Iterator[None]:
    """Requests are journaled during the test."""
    install()
    yield
    remove()


def opened(asked: Asked, library: str) -> Notebook:
    """A notebook with a tool that posts through a library."""
    made = Notebook()
    made.plain(f"URL = {asked.service.url!r}\n{LIBRARIES[library]}{TOOLS}")
    return made


@pytest.fixture(params=LIBRARIES)
def each(request: pytest.FixtureRequest, asked: Asked) -> Iterator[Notebook]:
    """A notebook for each library."""
    made = opened(asked, request.param)
    yield made
    made.plain("client.close()")


@pytest.fixture
def nb(asked: Asked) -> Iterator[Notebook]:
    """A notebook with one library."""
    made = opened(asked, "httpx")
    yield made
    made.plain("client.close()")


@pytest.mark.wide
def test_a_tool_that_failed_after_its_post_does_not_post_again(
    each: Notebook, asked: Asked
) -> None:
    """It is served what was answered, and nothing but the tool's call is asked about."""
    each.plain("fail.append(ValueError('after it'))")
    with pytest.raises(ValueError, match="after it"):
        each.run("r = pay('ann')", name="a")
    assert len(questions(each.session.history)) == 1
    line = each.run("edited = 1\nr = pay('ann')", name="a")
    assert asked.posts() == 1
    assert "pay-" in str(each.namespace["r"])
    assert "not recorded" not in line
    each.run("edited = 2\nr = pay('ann')", name="a")
    assert asked.posts() == 1


def test_a_person_who_says_that_it_did_not_happen_pays_once(
    nb: Notebook, asked: Asked
) -> None:
    """The doubt is the tool's; settled, it goes on behind its POST."""
    nb.plain(TOOLS.replace(', on_doubt="retry"', ""))
    nb.plain("fail.append(ValueError('after it'))")
    with pytest.raises(ValueError, match="after it"):
        nb.run("r = pay('ann')", name="a")
    with pytest.raises(DurablePause):
        nb.run("r = pay('ann')", name="a")
    settle(nb, "a.1", Answer.DID_NOT)
    nb.run("r = pay('ann')", name="a")
    assert asked.posts() == 1


def test_another_call_posts_for_itself(nb: Notebook, asked: Asked) -> None:
    """What was answered to one call is no answer to another one with an equal POST."""
    nb.plain("""
@nd.tool(effect="write", on_doubt="retry")
def order(number):
    said = ask("POST", {"tool": "order"}).json()
    broken()
    return number, said
fail.append(ValueError("after it"))
""")
    with pytest.raises(ValueError, match="after it"):
        nb.run("r = order(1)", name="a")
    nb.run("r = order(2)", name="a")
    assert asked.posts() == 2


def test_a_call_that_is_made_once_more_posts_once_more(
    nb: Notebook, asked: Asked
) -> None:
    """After its result, «again» means again."""
    nb.run("r = pay('ann')", name="a")
    nb.plain(TOOLS.replace("    return receipt", "    return [receipt]"))
    with pytest.raises(DurablePause):
        nb.run("r = pay('ann')\nx = 1", name="a")
    settle(nb, "a.1", Answer.AGAIN)
    nb.run("r = pay('ann')\nx = 1", name="a")
    assert asked.posts() == 2


def test_equal_posts_of_one_call_are_two(nb: Notebook, asked: Asked) -> None:
    """Both are served in their order, and the third one is new."""
    nb.plain("""
@nd.tool(effect="write", on_doubt="retry")
def twice(name):
    return [ask("POST", {"tool": name}).json() for _ in range(many)]
many = 2
@nd.tool(effect="write", on_doubt="retry")
def outer(name):
    said = [ask("POST", {"tool": name}).json() for _ in range(many[0])]
    broken()
    return said
many = [2]
fail.append(ValueError("after it"))
""")
    with pytest.raises(ValueError, match="after it"):
        nb.run("r = outer('x')", name="a")
    assert asked.posts() == 2
    nb.plain("many[0] = 3")
    nb.run("r = outer('x')", name="a")
    assert asked.posts() == 3


def test_a_retry_goes_on_behind_the_post(nb: Notebook, asked: Asked) -> None:
    """Of two equal ones only that is made again which the server declined."""
    nb.plain("""
@nd.tool(effect="write", retry=nd.Retry(attempts=4, on=httpx.HTTPStatusError,
                                         wait=0.01, jitter=0))
def both(name):
    first = ask("POST", {"tool": name}).raise_for_status().json()
    second = ask("POST", {"tool": name}).raise_for_status().json()
    return first, second
""")
    asked.service.rule(do="fail", at=len(account.read(asked.service.log)) + 2, times=2)
    nb.run("r = both('x')", name="a")
    assert asked.posts() == 4


def test_a_connection_that_was_never_made_is_no_doubt(
    nb: Notebook, asked: Asked
) -> None:
    """`not_done=` of the tool counts, and the request asks nothing of its own."""
    nb.plain("""
@nd.tool(effect="write", not_done=httpx.ConnectError)
def post(url):
    return client.post(url[0], json={"tool": "x"}).json()
url = ["http://127.0.0.1:9/effect"]
""")
    with pytest.raises(Exception, match="refused"):
        nb.run("r = post(url)", name="a")
    assert questions(nb.session.history) == []
    nb.plain("url[0] = URL + '/effect'")
    nb.run("r = post(['http://127.0.0.1:9/effect'] and url)", name="a")
    assert asked.posts() == 1


def test_a_step_and_a_map_inside_a_tool(nb: Notebook, asked: Asked) -> None:
    """Whatever the depth, it is a part of the tool's call."""
    nb.plain("""
@nd.step
def stage(who):
    said = ask("POST", {"tool": "stage", "args": {"who": who}}).json()
    return said
@nd.tool(effect="write", on_doubt="retry")
def all_of(names):
    said = [stage("bob"), *nd.map(lambda who: stage(who), names)]
    broken()
    return said
fail.append(ValueError("after it"))
""")
    with pytest.raises(ValueError, match="after it"):
        nb.run("r = all_of(['ann', 'cid'])", name="a")
    nb.run("r = all_of(['ann', 'cid'])\nedited = 1", name="a")
    assert asked.posts() == 3


def test_a_tool_in_a_step_and_in_a_map(nb: Notebook, asked: Asked) -> None:
    """Each item has its own call, and each call its own POST."""
    nb.plain("""
@nd.step
def stage(names):
    return nd.map(pay, names)
fail.append(ValueError("after it"))
""")
    with pytest.raises(Exception, match="after it"):
        nb.run("r = stage(['ann', 'cid'])", name="a")
    nb.run("r = stage(['ann', 'cid'])", name="a")
    assert asked.posts() == 2


def test_an_edited_body_is_served_the_same_post(nb: Notebook, asked: Asked) -> None:
    """The bug behind the POST is repaired in the tool."""
    nb.plain(TOOLS.replace("    return receipt", "    return receipt['nothing']"))
    with pytest.raises(KeyError):
        nb.run("r = pay('ann')", name="a")
    nb.plain(TOOLS.replace("    return receipt", "    return receipt['receipt']"))
    nb.run("r = pay('ann')", name="a")
    assert asked.posts() == 1


def test_a_read_tool_is_not_looked_into(nb: Notebook, asked: Asked) -> None:
    """It is asked again as a whole, and so is what it asks, also inside a write tool."""
    nb.plain("""
@nd.tool(effect="read")
def search(q):
    return ask("POST", {"tool": "search", "args": {"q": q}}).json()
@nd.tool(effect="write", on_doubt="retry")
def report(q):
    found = search(q)
    broken()
    return found
""")
    nb.run("r = search('x'), report('x')", name="a")
    kinds = [c.kind for c in nb.session.history.calls.values()]
    assert kinds == ["tool"] * 3
    assert asked.posts() == 2


GETS = """
@nd.tool(effect="write", on_doubt="retry")
def send(what):
    before = ask("GET", path="/effects").json()
    if what == "post":
        ask("POST", {"tool": "send"}).raise_for_status()
        after = ask("GET", path="/effects").json()
    broken()
    return before
fail.append(ValueError("after it"))
"""


def test_what_led_to_a_post_is_served(nb: Notebook, asked: Asked) -> None:
    """The GET behind it is made again: nothing hangs on what it said."""
    nb.plain(GETS)
    with pytest.raises(ValueError, match="after it"):
        nb.run("r = send('post')", name="a")
    nb.run("r = send('post')", name="a")
    look, post = "GET /effects", "POST /effect"
    assert asked.paths() == [look, post, look, look]


def test_what_led_to_nothing_is_asked_again(nb: Notebook, asked: Asked) -> None:
    """A tool that is run again because the world is another one sees the new one."""
    nb.plain(GETS)
    with pytest.raises(ValueError, match="after it"):
        nb.run("r = send('')", name="a")
    nb.run("r = send('')", name="a")
    assert asked.paths() == ["GET /effects"] * 2


def test_a_get_behind_a_new_post_is_made_again(nb: Notebook, asked: Asked) -> None:
    """A POST that the server declined is made again, and the world is another one."""
    nb.plain(GETS.replace('fail.append(ValueError("after it"))', ""))
    asked.service.rule(do="fail", when="send", status=503)
    with pytest.raises(Exception, match="503"):
        nb.run("r = send('post')", name="a")
    nb.run("r = send('post')", name="a")
    look, post = "GET /effects", "POST /effect"
    assert asked.paths() == [look, post, look, post, look]


def test_a_question_elsewhere_does_not_stop_a_tool_in_its_middle(
    nb: Notebook, asked: Asked
) -> None:
    """The tool began before it: what it posts isn't a further write."""
    nb.plain("""
@nd.tool(effect="write")
def other(i):
    raise RuntimeError
@nd.tool(effect="write")
def outer(i):
    try:
        other(i)
    except BaseException:
        pass
    return ask("POST", {"tool": "outer"}).json()
""")
    with pytest.raises(RuntimeError):
        nb.run("other(1)", name="a")
    with pytest.raises(DurablePause):
        nb.run("try:\n    outer(1)\nfinally:\n    other(1)", name="a")
    assert asked.posts() == 1


def test_neither_the_body_nor_a_key_in_the_path_is_shown(
    nb: Notebook, asked: Asked
) -> None:
    """The address without what may be a key; what was posted is in no record."""
    key = "x9K2mQ7wE4rT6yU1"
    nb.plain(f"""
words = ["correct", "horse", "bat" + "tery"]
@nd.tool(effect="write")
def hook(n):
    body = {{"password": " ".join(words)}}
    return ask("POST", body, "/hook/{key}").status_code
""")
    nb.run("r = hook(1)", name="a")
    told = [c for c in nb.session.history.calls.values() if c.kind == "http"]
    host = asked.service.url.removeprefix("http://")
    assert [c.name for c in told] == [f"POST {host}/hook/…"]
    entries = repr([e.record for e in nb.store.read(nb.session.history.run)[0]])
    assert "battery" not in entries


@pytest.mark.parametrize(
    ("body", "cookies", "looks", "kept"),
    [
        (b'{"id": 7}', False, True, True),
        (b'{"access_token": "x"}', False, False, False),
        (b'{"x": {"secretAccessKey": "x"}}', False, False, False),
        (b"<SessionToken>x</SessionToken>", False, False, False),
        (b"{}", True, True, False),
        (b"{}", True, False, True),
    ],
)
def test_which_answers_are_kept(
    body: bytes, *, cookies: bool, looks: bool, kept: bool
) -> None:
    """No credential, and no page that gives cookies to what comes next."""
    headers = [("Set-Cookie", "a=b")] if cookies else []
    said = inner.Recording(status=200, body=body)
    assert (not inner.why_unkept(said, headers, looks=looks)) is kept


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("https://api.example.com/orders/7", False),
        ("https://api.example.com/v1/credentials", True),
        ("https://login.example.com/x", True),
        ("https://sts.amazonaws.com/", True),
        ("https://secretsmanager.eu-west-1.amazonaws.com/", True),
        ("http://169.254.170.2/v2/x", True),
        ("https://keyboards.example.com/tokenise", False),
    ],
)
def test_what_hands_out_credentials_passes(url: str, *, secret: bool) -> None:
    """By its path, or by its host."""
    assert inner.is_secret(url) is secret


@pytest.mark.parametrize("past", Past)
@pytest.mark.parametrize("effect", [Effect.READ, Effect.WRITE])
def test_a_part_never_asks(past: Past, effect: Effect) -> None:
    """It is served or executed; in frozen mode it is served or refused."""
    policy = Policy(effect=effect, inner=True)
    assert decide(past, policy) in {Verdict.REPLAY, Verdict.EXECUTE}
    assert decide(past, policy, owner_alive=True) is decide(past, policy)
    frozen = decide(past, policy, frozen=True)
    assert frozen in {Verdict.REPLAY, Verdict.REFUSE}
