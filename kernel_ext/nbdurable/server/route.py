"""The route of views: a message in, the answers out.

Everything goes in the body of a POST: nothing of a run stands in an address, where logs and
histories would keep it. jupyter-server's own rules hold: 403 without a token or a login, and
a form of another site is refused, since it doesn't know the `_xsrf` cookie.
"""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any, Final

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web

from nbdurable.engine.waits.hooks import PLACE as HOOK_PLACE
from nbdurable.engine.waits.webhooks import SERVED
from nbdurable.server.hooked import Hooked
from nbdurable.server.hooks import Hooks, Rates
from nbdurable.server.notebooks import Notebooks, Outside
from nbdurable.timeline.protocol import plain

PLACE: Final = ("nbdurable", "timeline")

BODY_BYTES_MAX: Final = 1_000_000
"""An answer of 100,000 characters, whatever they are, in JSON."""

NAME_CHARS_MAX: Final = 4_096
"""Characters of a notebook's path, and of what tells views apart."""


class Timeline(APIHandler):
    """What views say, and what they are answered."""

    auth_resource = "nbdurable"

    def initialize(self, notebooks: Notebooks) -> None:
        """Take what tornado hands over."""
        self.notebooks = notebooks

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Answer one message."""
        notebook, view, said = self._asked()
        try:
            answers = await asyncio.to_thread(self.notebooks.hear, notebook, view, said)
        except (Outside, OSError) as refused:
            raise web.HTTPError(404, "no such notebook") from refused
        told = {"messages": [plain(message) for message in answers]}
        self.finish(json.dumps(told))

    def _asked(self) -> tuple[str, str, object]:
        if len(self.request.body) > BODY_BYTES_MAX:
            raise web.HTTPError(413, "the message is too large")
        body = self.get_json_body()
        if not isinstance(body, dict):
            raise web.HTTPError(400, "a message is an object")
        names = body.get("notebook"), body.get("view")
        if not all(isinstance(n, str) and 0 < len(n) <= NAME_CHARS_MAX for n in names):
            raise web.HTTPError(400, "notebook and view are names")
        notebook, view = map(str, names)
        if "\0" in notebook:
            raise web.HTTPError(400, "notebook and view are names")
        return notebook, view, body.get("said")


def install(app: Any) -> None:
    """Add the routes to a server."""
    notebooks = Notebooks(app.contents_manager.root_dir)
    base = app.web_app.settings["base_url"]
    hooks = {"hooks": Hooks(notebooks.store_at, os.environ), "rates": Rates()}
    routes = [
        (url_path_join(base, *PLACE), Timeline, {"notebooks": notebooks}),
        (url_path_join(base, HOOK_PLACE, "(.*)"), Hooked, hooks),
    ]
    app.web_app.add_handlers(".*$", routes)
    os.environ[SERVED] = base  # kernels inherit it; they can't know it else
