"""``python -m nbdurable`` is the command ``nbdurable``."""

from __future__ import annotations

import sys

from nbdurable.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
