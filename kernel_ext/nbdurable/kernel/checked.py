"""What a check asks this kernel at its end, answered as JSON."""

from __future__ import annotations

import dataclasses
import json

from nbdurable.kernel import extension


def report() -> str:
    """The steps that this kernel executed, and the calls that it refused."""
    from nbdurable.engine.asking.checked import checked
    from nbdurable.engine.calls import frozen

    steps = [s for here in extension.sessions() for s in checked(here)]
    refused = [_fields(r) for r in frozen.refusals()]
    return json.dumps({"steps": list(map(_fields, steps)), "refused": refused})


def _fields(told: object) -> dict[str, object]:
    fields = dataclasses.fields(told)  # type: ignore[arg-type]  # both are dataclasses
    return {f.name: getattr(told, f.name) for f in fields}
