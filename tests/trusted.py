"""One trusted certificate instead of all: clients read them when they are made.

Reading 150 of them takes 40 ms of CPU for each client, and nothing is asked that has one.
"""

from __future__ import annotations

from pathlib import Path

import certifi

END = "-----END CERTIFICATE-----\n"


def write_one(folder: Path) -> str:
    """Write a file for `SSL_CERT_FILE`; gives its path."""
    path = folder / "trusted.pem"
    path.write_text(Path(certifi.where()).read_text().partition(END)[0] + END)
    return str(path)
