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
    """Small ones as a field, larger ones as a blob; their code by its digests."""
    if request.codes:
        fields["codes"] = request.codes
    encoded = request.arguments()
    size = len(encoded.data) if encoded else 0
    if encoded is None or size > ARGUMENTS_BYTES_MAX:
        return ()
    if size > ARGUMENTS_FIELD_BYTES_MAX:
        return (store.put(encoded.codec, encoded.data),)
    fields["arguments"] = encoded.data.decode()
    return ()
