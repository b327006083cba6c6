"""Reads what was written down beside calls and attempts, to be compared and shown. Pure."""

from __future__ import annotations

import contextlib

from nbdurable.engine.past import evidence
from nbdurable.engine.past.attempts import StepPast
from nbdurable.engine.past.evidence import NOTHING, Evidence, EvidenceOf, Get
from nbdurable.engine.past.pasts import CallPast
from nbdurable.engine.past.present import Arguments
from nbdurable.engine.values import plainly
from nbdurable_store.errors import DurableError


def arguments_of(get: Get) -> Arguments:
    """How to read the kept arguments of a call; None where none can be read."""

    def read(call: CallPast) -> object:
        kept = call.arguments
        with contextlib.suppress(plainly.Unreadable, DurableError):
            if isinstance(kept, str):
                return plainly.read("json", kept.encode("utf-8", "surrogatepass"))
            if kept is not None and kept.codec in plainly.READABLE:
                return plainly.read(kept.codec, get(kept))
        return None

    return read


def evidence_of(get: Get) -> EvidenceOf:
    """How to read what an attempt was given."""

    def read(step: StepPast) -> Evidence:
        with contextlib.suppress(DurableError):
            return evidence.read(step, get)
        return NOTHING

    return read
