"""The anchored shapes of well-known keys: a secret that no variable names.

Each shape begins with a literal, so that a text without it is not searched.
"""

from __future__ import annotations

import re
from typing import AnyStr, NamedTuple


class Pattern(NamedTuple):
    """A shape; a match begins with the literal, and its group 1 is no part of the key."""

    literal: str
    name: str
    needs: str
    text: re.Pattern[str]
    data: re.Pattern[bytes]


def _pattern(name: str, literal: str, source: str, needs: str = "") -> Pattern:
    text = re.compile(source, re.ASCII)
    data = re.compile(source.encode())
    return Pattern(literal, name, literal + needs, text, data)


PATTERNS = (
    _pattern(
        "provider-key",
        "sk-",
        r"(?<![\w-])sk-(?:[A-Za-z0-9]{32,}|(?:ant|proj|svcacct|admin|or)-[\w-]{20,})",
    ),
    _pattern("google-key", "AIza", r"(?<![\w-])AIza[\w-]{35}"),
    _pattern("aws-key", "AKIA", r"(?<!\w)AKIA[A-Z2-7]{16}(?!\w)"),
    _pattern("aws-key", "ASIA", r"(?<!\w)ASIA[A-Z2-7]{16}(?!\w)"),
    _pattern("github-token", "gh", r"(?<!\w)gh[pousr]_[A-Za-z0-9]{36}", "_"),
    _pattern("github-token", "github_pat_", r"(?<!\w)github_pat_\w{22,}"),
    _pattern("gitlab-token", "glpat-", r"(?<!\w)glpat-[\w-]{20,}"),
    _pattern("huggingface-token", "hf_", r"(?<!\w)hf_[A-Za-z0-9]{30,}"),
    _pattern("webhook", "nbdhook_", r"(?<!\w)nbdhook_[\w-]{43}"),
    _pattern("slack-token", "xox", r"(?<!\w)xox[abeprs]-[\w-]{10,}", "-"),
    _pattern("stripe-key", "k_live_", r"(?<=[rs])(?<!\w.)k_live_[A-Za-z0-9]{16,}"),
    _pattern("jwt", "eyJ", r"(?<![\w-])eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{16,}"),
    _pattern(
        "private-key",
        "-----BEGIN",
        r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----(?:[^-]{64,}|.{1,4}Proc-Type[^-]+)",
    ),
    _pattern(
        "url-password",
        "://",
        r"(://)[^\s/:@\"'<>‹›\\]{1,64}:(?!(?:pass|pwd|password|passwd|secret)@)"
        r"[^\s/@\"'<>‹›{}*\\]{3,128}(?=@)",
        "@",
    ),
    _pattern(
        "auth-header",
        "Bearer ",
        r"(?<![A-Za-z])Bearer (?=[\w.~+/-]*[0-9])[\w.~+/-]{16,}=*",
    ),
    _pattern(
        "auth-header",
        "zation",
        r"(?<=[Aa]uthori)(zation[^A-Za-z0-9]{1,8})"
        r"(?:[Bb]asic|[Bb]earer|[Tt]oken) (?=[\w.~+/-]*[0-9=])[\w.~+/-]{8,}=*",
    ),
    _pattern(
        "auth-header",
        "-api-key",
        r"(-api-key[^A-Za-z0-9\s][^A-Za-z0-9]{0,7})(?=[\w-]*[0-9])[\w-]{16,}",
    ),
)


def matches(pattern: re.Pattern[AnyStr], literal: AnyStr, text: AnyStr) -> bool:
    """Whether a pattern occurs in a text, which begins with its literal."""
    # From one literal to the next: searching the whole text for the pattern takes a
    # hundred times as long.
    at = text.find(literal)
    while at >= 0:
        if pattern.match(text, at):
            return True
        at = text.find(literal, at + 1)
    return False
