"""Secrets are found in every form, and nothing else is."""

from __future__ import annotations

import base64
import json
import timeit
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbdurable.engine.values.redact import SecretAbsent, Secrets

KEY = "sk-proj-abcdEFGH0123456789abcdEFGH0123456789"
PASSWORD = 'p@ss/"wörd\\ with spaces'
ENVIRONMENT = {
    "OPENAI_API_KEY": KEY,
    "DB_PASSWORD": PASSWORD,
    "HOME": "/home/anna-and-others",
    "SHORT_TOKEN": "abc",
}
SECRETS = Secrets(ENVIRONMENT)

FORMS = {
    "plain": KEY,
    "in a sentence": f"the key is {KEY}, keep it",
    "as a header": f"Authorization: Bearer {KEY}",
    "JSON": json.dumps({"password": PASSWORD}),
    "JSON as UTF-8": json.dumps({"password": PASSWORD}, ensure_ascii=False),
    "JSON in JSON": json.dumps(json.dumps([PASSWORD])),
    "in a query": f"https://x.test/?key={quote(PASSWORD, safe='')}",
    "in a path": quote(PASSWORD),
    "in a form": quote_plus(PASSWORD),
    "base64": base64.b64encode(KEY.encode()).decode(),
    "base64 after one byte": base64.b64encode(b":" + KEY.encode()).decode(),
    "base64 after two bytes": base64.b64encode(b"u:" + KEY.encode() + b"x").decode(),
    "base64url": base64.urlsafe_b64encode(b"\xff" + PASSWORD.encode()).decode(),
}

SHAPES = {
    "provider-key": [
        "sk-ant-api03-" + "aB3_" * 12,
        "sk-" + "aB3d" * 12,
        "sk-or-v1-" + "0a1b" * 8,
    ],
    "google-key": ["AIza" + "Sy0_-" * 7],
    "aws-key": ["AKIA" + "Q3EG" * 4, "ASIA" + "Q3EG" * 4],
    "github-token": ["ghp_" + "aB3d" * 9, "github_pat_" + "11AA" * 8],
    "gitlab-token": ["glpat-" + "aB3d" * 5],
    "huggingface-token": ["hf_" + "aB3d" * 9],
    "webhook": ["nbdhook_" + "aB-_" * 10 + "xyz"],
    "slack-token": ["xoxb-1234567890-abcdef"],
    "stripe-key": ["sk_live_" + "aB3d" * 6],
    "jwt": [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_X"
    ],
    "private-key": [
        "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEpAIB" * 10,
        "-----BEGIN PRIVATE KEY-----\\n" + "MIIEpAIB" * 10,
    ],
    "url-password": ["postgres://anna:hunter22@db.test/x"],
    "auth-header": [
        "Bearer abcdefghijklmnop1234",
        "authorization: bearer abc-123-def",
        '{"Authorization": "Basic YW5uYTpodW50ZXIy"}',
        '"x-api-key": "abcdef1234567890abcdef"',
    ],
}

INNOCENT = [
    "123e4567-e89b-12d3-a456-426614174000",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "call_9x8y7z6w5v4u3t2s1r0q chatcmpl-AbCdEfGhIjKlMnOpQrStUvWxYz0123",
    "a task-list, a risk-free desk-job; ask-me-anything-about-this-long-name",
    "Set OPENAI_API_KEY and pass Authorization: Bearer YOUR_API_KEY to it.",
    "Authorization: Basic authentication, Authorization: bearer authentication",
    "Basic authorization is internationalization's little brother.",
    "postgres://user:password@localhost/db and https://host:8080/@handle",
    "-----BEGIN PRIVATE KEY----- is how such a file begins",
    "the bearer of this letter, AIza, AKIA, ghp_ and hf_ are only prefixes",
    "data:image/png;base64," + base64.b64encode(bytes(range(256)) * 4).decode(),
    "‹secret:OPENAI_API_KEY›",
]


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_found_and_put_back_in_each_form(form: str) -> None:
    """Scrubbing takes every form out, and restoring gives back the same text."""
    text = FORMS[form]
    scrubbed = SECRETS.scrub(text)
    assert SECRETS.found(text)
    assert SECRETS.holds(text.encode())
    assert SECRETS.found(scrubbed) is None
    assert KEY not in scrubbed
    assert PASSWORD not in scrubbed
    assert SECRETS.restore(scrubbed) == text


@pytest.mark.parametrize("form", FORMS)
def test_parts_join_to_the_same_text(form: str) -> None:
    """A text cut at its secrets holds none, and joins to itself."""
    parts = SECRETS.parts(FORMS[form])
    assert parts is not None
    assert all(SECRETS.found(part) is None for part in parts[::2])
    assert SECRETS.join(parts) == FORMS[form]


@pytest.mark.parametrize(
    ("name", "text"), [(n, t) for n, ts in SHAPES.items() for t in ts]
)
def test_a_known_shape_is_found_without_its_value(name: str, text: str) -> None:
    """Keys that no variable holds are found by their shape, in text and bytes."""
    empty = Secrets({})
    for place in (text, f'{{"k": "{text}"}}', f"see {text} there"):
        assert empty.found(place) == name
        assert empty.find(place.encode()) == name
        assert empty.found(empty.scrub(place)) is None
        assert f"‹secret:{name}›" in empty.scrub(place)


@pytest.mark.parametrize("text", INNOCENT)
def test_other_texts_pass_untouched(text: str) -> None:
    """Ids, digests, images, prose and our own mark are no secrets."""
    assert SECRETS.found(text) is None
    assert SECRETS.scrub(text) == text
    assert not SECRETS.holds(text.encode())
    assert SECRETS.parts(text) is None


@pytest.mark.parametrize(
    "encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]
)
def test_wide_texts_in_bytes_are_searched(encoding: str) -> None:
    """Arrays of strings hold four bytes a character; a secret is found there too."""
    assert SECRETS.holds(b"\0\1" + KEY.encode(encoding))


def test_only_credentials_of_some_length_count() -> None:
    """A variable with another name, or a short value, is no secret."""
    assert SECRETS.found("/home/anna-and-others abc") is None


def test_a_secret_that_is_gone_is_named() -> None:
    """Restoring without the variable raises an error that names it."""
    scrubbed = SECRETS.scrub(f"key {KEY}")
    with pytest.raises(SecretAbsent) as raised:
        Secrets({}).restore(scrubbed)
    assert raised.value.name == "OPENAI_API_KEY"
    assert "export OPENAI_API_KEY=" in str(raised.value)


def test_more_secrets_can_be_known() -> None:
    """A key the caller found elsewhere counts like a variable, until it is forgotten."""
    more = SECRETS.also({"header": "typed-in-by-hand-1"})
    assert more.found("it was typed-in-by-hand-1 once") == "header"
    assert more.also({"b": "x" * 12}).found("typed-in-by-hand-1") == "header"
    assert SECRETS.found("it was typed-in-by-hand-1 once") is None


def test_the_variable_of_a_value_prefers_a_credential() -> None:
    """A client's key is named by the variable that is called like one."""
    both = Secrets({"A": "same-value", "Z_API_KEY": "same-value"})
    assert both.variable("same-value") == "Z_API_KEY"
    assert both.variable("other") is None
    assert both.lookup("Z_API_KEY") == "same-value"


def test_one_secret_inside_another_is_cut_once() -> None:
    """The longer secret wins, so that what is stored can be put back."""
    nested = Secrets({"A_KEY": "abcdefghijkl", "B_KEY": "abcdefghijklmnopqrst"})
    assert nested.scrub("x abcdefghijklmnopqrst y") == "x ‹secret:B_KEY› y"
    assert nested.restore("‹secret:A_KEY›‹secret:B_KEY›").endswith("mnopqrst")


@pytest.mark.slow
@given(st.text(), st.text(min_size=12, max_size=40), st.text())
def test_any_secret_in_any_text_is_found_and_put_back(
    before: str, secret: str, after: str
) -> None:
    """Whatever the characters, cutting and joining loses nothing."""
    known = Secrets({"ANY_TOKEN": secret})
    text = before + secret + after
    parts = known.parts(text)
    if len(secret.strip()) < 12:
        return
    assert parts is not None
    assert known.join(parts) == text
    assert secret.strip() not in "".join(parts[::2]) or len(parts) > 1


def test_nothing_to_find_is_quick() -> None:
    """A kilobyte without secrets costs less than writing it as JSON twice."""
    many = Secrets({f"K{i}_API_KEY": f"Q{i:02}-{'aB3xZ9' * 6}" for i in range(20)})
    text = json.dumps([f"hit {i}: solid-state batteries" for i in range(30)])
    value = json.loads(text)
    ours = min(timeit.repeat(lambda: many.found(text), number=500, repeat=7))
    floor = min(timeit.repeat(lambda: json.dumps(value), number=500, repeat=7))
    assert ours < 2 * floor


def test_digests_tell_two_unnamed_keys_apart():
    """What only a pattern knows is another value in a digest, and still not readable."""
    one, other = (f"sk-proj-{letter * 24}" for letter in "ab")
    told = [SECRETS.apart(f"check {key}") for key in (one, other)]
    assert told[0] != told[1]
    assert all(key not in text for key in (one, other) for text in told)
    assert SECRETS.apart("plain") == "plain"
