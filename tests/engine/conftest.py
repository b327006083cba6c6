"""What the tests of the engine share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.trusted import write_one


@pytest.fixture(scope="package", autouse=True)
def quick_clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Clients of models and of HTTP are made with one trusted certificate."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", write_one(tmp_path_factory.mktemp("trusted")))
        yield
