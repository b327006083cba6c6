"""What people keep has the digest that it had, after its bytes were read again."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbdurable.engine import codec
from nbdurable.engine.identity.canonical import digest
from nbdurable.engine.identity.forms import Undigestible
from nbdurable.engine.values.redact import Secrets
from tests.kept.groups import GROUPS
from tests.kept.judge import ENVIRONMENT

SECRETS = Secrets({})

OTHER = {
    "scikit-learn: bunch": "its own __setstate__ forgets what it warned about",
    "sqlalchemy: select": "names of its parameters are made of addresses",
    "beautifulsoup4: soup": "it is its text, and parsed again",
    "ipywidgets: slider": "a widget has an id of its own in each kernel",
    "plotly: figure": "the order of its template is that of a set",
}
"""Kinds that are equal as people see them, and not to the bit."""


def _other(make: str) -> bool | None:
    """Whether a value has another digest when it comes back; ``None`` without any."""
    namespace: dict[str, object] = {"__name__": "__main__"}
    exec(compile(make, "<cell>", "exec", dont_inherit=True), namespace)
    value = namespace["it"]
    try:
        before = digest(value)
        encoded = codec.encode(value, secrets=SECRETS)
    except (Undigestible, codec.Unstorable):
        return None
    back = codec.decode(*encoded, secrets=SECRETS, namespace=namespace)
    return digest(back) != before


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("group", GROUPS)
def test_digests_are_kept(
    group: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No kind that has a digest comes back with another one, but for those listed."""
    monkeypatch.chdir(tmp_path)
    for name, text in ENVIRONMENT.items():
        monkeypatch.setenv(name, text)
    kinds = [kind for kind in GROUPS[group] if kind.expected == "equal"]
    others = {kind.id for kind in kinds if _other(kind.make)}
    assert others - OTHER.keys() == set()
