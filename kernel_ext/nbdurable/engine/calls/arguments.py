"""How the arguments of a call are kept beside it."""

from __future__ import annotations

from nbdurable.engine.calls.requests import (
    ARGUMENTS_BYTES_MAX,
    ARGUMENTS_FIELD_BYTES_MAX,
    CallRequest,
)
from nbdurable_store.protocol import Store
from nbdurable_store.records import BlobRef, Plain


def keep_arguments(
    store: Store, request: CallRequest, fields: dict[str, Plain]
) -> tuple[BlobRef, ...]:
    """Small ones as a field, larger ones as a blob; code and marks by their digests."""
    if request.codes:
        fields["codes"] = request.codes
    marks = request.marks()
    if marks is not None:
        fields["marks"] = marks
    encoded = request.arguments()
    size = len(encoded.data) if encoded else 0
    if encoded is None or size > ARGUMENTS_BYTES_MAX:
        return ()
    if size > ARGUMENTS_FIELD_BYTES_MAX:
        return (store.put(encoded.codec, encoded.data),)
    fields["arguments"] = encoded.data.decode()
    return ()


def as_made(request: CallRequest) -> dict[str, Plain]:
    """How a call is known that was made with other parameters, or under another name."""
    fields: dict[str, Plain] = {"name": request.name, "code": request.code}
    fields |= {"codes": request.codes} if request.codes else {}
    return {**fields, "marks": request.marks()}
