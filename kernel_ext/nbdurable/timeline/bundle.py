"""The built view, as it lies beside this file. Its sources are in labextension/."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

ASSETS: Final = Path(__file__).parent / "assets"

VIEW: Final = ASSETS / "view.js"
"""The view as an ES module, for front ends."""


_EXPORT: Final = re.compile(r"export\s*\{\s*([\w$]+) as default\s*\};?\s*$")
"""How the view ends as a module; a page of its own has none to load it from."""


def page_script() -> str:
    """The view for a page of its own: it starts by itself."""
    module = VIEW.read_text(encoding="utf-8")
    exported = _EXPORT.search(module)
    assert exported is not None, "labextension/build.mjs makes another module now"
    view, name = module[: exported.start()], exported[1]
    start = (ASSETS / "page.js").read_text(encoding="utf-8")
    return f'(()=>{{"use strict";{view}{start}page.start({name})}})();'
