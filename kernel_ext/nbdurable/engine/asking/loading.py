"""Loads variables that a step made, to look at: nothing is bound anywhere."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from nbdurable.engine.past.attempts import StepPast
from nbdurable.engine.steps.snapshot import Group, put_back
from nbdurable.engine.values.redact import Secrets
from nbdurable_store.errors import DurableError
from nbdurable_store.protocol import Store


def loaded(
    store: Store, secrets: Secrets, step: StepPast, names: Collection[str]
) -> Mapping[str, object]:
    """The values of these names as a step made them; the error for one that isn't there.

    Args:
        store: Where they are; each is verified.
        secrets: What masked texts are put back from.
        step: The attempt.
        names: Which.
    """
    found: dict[str, object] = {}
    for group, ref in (*step.stored, *step.beside):
        if not any(name in names for name in group):
            continue
        try:
            data = store.get(ref, stream=True)
            one = Group(names=group, codec=ref.codec, data=data)
            put_back([one], found, secrets=secrets)
        except DurableError as gone:
            found.update(dict.fromkeys(group, gone))
    return found
