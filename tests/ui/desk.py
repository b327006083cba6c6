"""JupyterLab and Notebook 7 as people have them: a server with what the wheel brings."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import socket
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Locator, Page, expect

from nbdurable.cli.fileformat import nbformat
from nbdurable_store.clock import SYSTEM_CLOCK
from tests.warm.kernels import Forked
from tests.warm.servers import launch

IN_LAB = [
    pytest.mark.needs("chromium"),
    pytest.mark.slow,
    pytest.mark.timeout(300),
]
"""How the tests are marked that open a notebook."""

ROOT = Path(__file__).parents[2]
START_S_MAX = 90.0
"""A server starts in 3 s; on a crowded machine it took a minute."""

QUIET = '{"fetchNews":"false","checkForUpdates":false}'
"""Else a question about news lies over the page."""

WITHOUT = {
    "buildCheck": False,
    "disabledExtensions": {
        "@jupyterlab/notebook-extension:export": True,
        "@jupyterlab/notebook-extension:update-raw-mimetype": True,
        "ipyparallel-labextension": True,
        "jupyterlab-plotly": True,
    },
}
"""What each page would ask of the server that is nothing to our sidebar: whether there is
a new build (a node is started), which formats nbconvert has, which clusters there are; and
what another extension of the environment brings."""


@functools.cache
def wheel(folder: Path) -> Path:
    """What the wheel installs beside the packages, unpacked as in an environment."""
    folder.mkdir()
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d"]
    subprocess.run([*build, str(folder)], cwd=ROOT, check=True, capture_output=True)
    (made,) = folder.glob("*.whl")
    with zipfile.ZipFile(made) as packed:
        packed.extractall(folder / "wheel")
    (data,) = (folder / "wheel").glob("*.data/data")
    return data


@dataclass
class Desk:
    """A running server.

    Attributes:
        folder: Where its notebooks are.
        port: Where it listens.
        token: What it lets in.
        process: The server.
        windows: By their looks, the browser's windows that were opened: a page in a used
            one has its scripts compiled already, which is half of the CPU it takes.
        base: Its base path, without the first slash.
    """

    folder: Path
    port: int
    token: str
    process: Forked | subprocess.Popen[bytes]
    windows: dict[str, BrowserContext] = field(default_factory=dict)
    base: str = ""

    @property
    def login(self) -> dict[str, str]:
        """The header that lets a request in."""
        return {"Authorization": f"token {self.token}"}

    def url(self, path: str) -> str:
        """An address of the server."""
        return f"http://127.0.0.1:{self.port}/{self.base}{path}"

    def text(self, path: str, **headers: str) -> str:
        """What the server answers."""
        held = {**self.login, **headers}
        request = urllib.request.Request(self.url(path), headers=held)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return str(answer.read(), "utf-8")

    def put(self, path: str, body: object) -> None:
        """Store something on the server."""
        request = urllib.request.Request(
            self.url(path),
            data=json.dumps(body).encode(),
            headers=self.login,
            method="PUT",
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()

    def kernel(self) -> str:
        """Start a kernel; gives its id."""
        request = urllib.request.Request(
            self.url("api/kernels"),
            data=b"{}",
            headers=self.login,
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return str(json.load(answer)["id"])

    def notebook(self, path: str, *cells: str) -> str:
        """Write a notebook in a folder of its own; gives its path."""
        made = nbformat().v4.new_notebook()
        made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        made.cells = [nbformat().v4.new_code_cell(source) for source in cells]
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        nbformat().write(made, place)
        return path

    def end_kernels(self) -> None:
        """Have all kernels ended: each page that comes up speaks with every one of them.

        It isn't waited for: one whose cell blocks is killed after some seconds.
        """
        found: list[dict[str, str]] = []

        def listed() -> bool:
            # Jupyter can't list a kernel that it is starting: it has no last activity.
            with contextlib.suppress(HTTPError):
                found[:] = json.loads(self.text("api/kernels"))
                return True
            return False

        until(listed, lambda: "the kernels can't be listed")
        for kernel in found:
            asked = HTTPConnection("127.0.0.1", self.port, timeout=30)
            place = f"/{self.base}api/kernels/{kernel['id']}"
            asked.request("DELETE", place, headers=self.login)
            asked.close()

    def close(self) -> None:
        """End the server, and with it its kernels."""
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            # A worker thread of anyio that outlives its loop keeps a server for ever.
            self.process.kill()
            self.process.wait(60)


def start(folder: Path, env: Mapping[str, str] | None = None, base: str = "") -> Desk:
    """A server with everything that the wheel brings, in a folder of its own.

    In a folder where one was before it goes on with what that left.
    """
    data, work = wheel(folder.parent / "wheel"), folder / "work"
    work.mkdir(exist_ok=True)
    home = folder / "home"
    profile = home / "ipython" / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    config = "ipython_kernel_config.json"
    (profile / config).write_text((data / "etc/ipython" / config).read_text())
    notes = home / "settings" / "@jupyterlab" / "apputils-extension"
    notes.mkdir(parents=True, exist_ok=True)
    (notes / "notification.jupyterlab-settings").write_text(QUIET)
    (home / "config" / "labconfig").mkdir(parents=True, exist_ok=True)
    (home / "config" / "labconfig" / "page_config.json").write_text(json.dumps(WITHOUT))
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    kept = {k: v for k, v in os.environ.items() if not k.startswith("NBDURABLE")}
    with (folder / "log.txt").open("wb") as log:
        process = launch(
            [
                *("--no-browser", "--allow-root", "--ip=127.0.0.1"),
                *(f"--port={port}", "--IdentityProvider.token=secret"),
                "--LabApp.extension_manager=readonly",  # the other one makes an HTTP client
                # JupyterLab looks for these when it is imported, before it is forked.
                f"--LabApp.user_settings_dir={home / 'settings'}",
                f"--LabApp.workspaces_dir={home / 'workspaces'}",
                *(f"--ServerApp.root_dir={work}", f"--ServerApp.base_url=/{base}"),
            ],
            cwd=work,
            env={
                **kept,
                "IPYTHONDIR": str(home / "ipython"),
                "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
                "JUPYTER_DATA_DIR": str(home / "data"),
                "JUPYTER_CONFIG_DIR": str(home / "config"),
                "JUPYTER_PATH": str(data / "share" / "jupyter"),
                "JUPYTER_CONFIG_PATH": str(data / "etc" / "jupyter"),
                **(env or {}),
            },
            log=log.fileno(),
        )
    desk = Desk(work, port, "secret", process, base=base)
    until(lambda: _answers(desk), (folder / "log.txt").read_text)
    return desk


def guest(desk: Desk) -> tuple[urllib.request.OpenerDirector, str]:
    """Somebody who saw the login page and has no login, and the cookie's `_xsrf`."""
    cookies = CookieJar()
    opened = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    with opened.open(desk.url("login"), timeout=60) as page:
        page.read()
    return opened, next(str(c.value) for c in cookies if c.name == "_xsrf")


def _answers(desk: Desk) -> bool:
    try:
        desk.text("api/status")
    except OSError:
        return False
    return True


def until(condition: Callable[[], object], told: Callable[[], object]) -> None:
    """Wait for something outside the browser."""
    deadline = SYSTEM_CLOCK.monotonic_s() + START_S_MAX
    while not condition():
        assert SYSTEM_CLOCK.monotonic_s() < deadline, told()
        SYSTEM_CLOCK.sleep(0.1)


@dataclass
class Sitting:
    """A browser with a notebook, and the sidebar beside it.

    Attributes:
        desk: The server.
        page: The page.
        notebook: The notebook's path.
        wrong: What went wrong in scripts.
    """

    desk: Desk
    page: Page
    notebook: str
    wrong: list[str] = field(default_factory=list)

    @property
    def panel(self) -> Locator:
        """The sidebar."""
        return self.page.locator(".nbd-home")

    @property
    def tab(self) -> Locator:
        """What opens and shuts the sidebar."""
        return self.page.locator("[data-id=nbdurable-panel]").first

    @property
    def folder(self) -> Path:
        """Where the notebook lies, and its store."""
        return (self.desk.folder / self.notebook).parent

    def cell(self, number: int) -> Locator:
        """A cell of the notebook in front, with its outputs."""
        return self.page.locator(".jp-Notebook:visible .jp-CodeCell").nth(number)

    def run(self, *cells: int) -> None:
        """Execute cells, as a person does; it isn't waited for them."""
        for number in cells:
            until(lambda n=number: self._ran(n), lambda: "the cell is not sent")  # type: ignore[misc]

    def _ran(self, number: int) -> bool:
        """Whether a cell was sent: what is pressed while a page moves may be lost."""
        asks = self.page.locator(".jp-Dialog")
        if asks.count():  # the kernel was not there yet
            expect(asks).to_contain_text("Select Kernel")
            self.accept()
        else:
            self.cell(number).locator(".cm-content").click()
            self.page.keyboard.press("Control+Enter")
        prompt = self.cell(number).locator(".jp-InputPrompt").first
        with contextlib.suppress(AssertionError):
            expect(prompt).not_to_have_text("[ ]:", timeout=2_000)
        return prompt.inner_text() != "[ ]:"

    def ready(self) -> None:
        """Wait until the sidebar and the kernel have met: a cell sent earlier is lost."""
        words = re.compile("Write %%durable|run \\d|not loaded|outputs of a run")
        expect(self.panel).to_contain_text(words, timeout=90_000)
        kernel = ".jp-Notebook-ExecutionIndicator[data-status]"
        states = re.compile("idle|busy")
        expect(self.page.locator(kernel).first).to_have_attribute("data-status", states)

    def command(self, name: str) -> None:
        """Execute a command by the palette."""
        until(lambda: self._called(name), lambda: "no command palette")

    def _called(self, name: str) -> bool:
        """Whether the palette did it: a page that just came up hears no shortcuts yet."""
        field = self.page.locator(".lm-CommandPalette-input:visible")
        with contextlib.suppress(Error):
            if not field.count():
                self.page.keyboard.press("Control+Shift+C")
            field.fill(name, timeout=5_000)
            found = self.page.locator(".lm-CommandPalette-item", has_text=name)
            found.first.click(timeout=5_000)
            return True
        return False

    def menu(self, *names: str) -> None:
        """Choose from the menus."""
        for name in names:
            self.page.locator(
                ".lm-MenuBar-item, .lm-Menu-item", has_text=name
            ).first.click()

    def again(self) -> None:
        """Load the page anew."""
        self.page.reload()
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=90_000)

    def open(self, notebook: str) -> None:
        """Open another notebook, in front of this one."""
        self.page.get_by_role("menuitem", name="File").click()
        self.page.get_by_text("Open from Path…").click()
        self.page.keyboard.type(notebook)
        self.page.keyboard.press("Enter")

    def front(self, notebook: str) -> None:
        """Bring an open notebook to the front."""
        name = notebook.rpartition("/")[2]
        self.page.locator(f".lm-TabBar-tabLabel:text-is('{name}')").click()

    def accept(self) -> None:
        """Click the answer that a dialog proposes."""
        self.page.locator(".jp-Dialog button.jp-mod-accept").click()

    def widen(self, pixels: int) -> None:
        """Pull the edge of the sidebar."""
        box = self.panel.bounding_box()
        assert box is not None
        x, y = box["x"] - 4, box["y"] + box["height"] - 60
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x - pixels, y, steps=5)
        self.page.mouse.up()
        self.page.mouse.move(0, y)

    def pid(self) -> int:
        """Process of the kernel, as the first cell of the notebook wrote it."""
        return int((self.folder / "pid").read_text())

    def shot(self, name: str) -> None:
        """A picture, for whoever says by SHOTS where to."""
        if folder := os.environ.get("SHOTS"):
            self.page.screenshot(path=str(Path(folder) / f"{name}.png"))

    @property
    def ours(self) -> list[str]:
        """What went wrong in scripts of ours; a host under load has errors of its own."""
        return [told for told in self.wrong if "nbdurable" in told]

    def close(self) -> None:
        """Close the page."""
        self.page.close()


Sit = Callable[..., Sitting]
"""Opens a notebook of some cells; see `tests.ui.conftest.sitting`."""


def sit(desk: Desk, browser: Browser, notebook: str, **more: Any) -> Sitting:
    """Open a notebook in the browser and show the sidebar.

    Args:
        desk: The server.
        browser: The browser.
        notebook: The notebook's path.
        more: ``app`` (``lab/tree``, ``notebooks``), and what a window has.
    """
    app = more.pop("app", "lab/tree")
    looks = {"viewport": {"width": 1_400, "height": 900}, **more}
    if (window := desk.windows.get(repr(looks))) is None:
        window = desk.windows[repr(looks)] = browser.new_context(**looks)
    page = window.new_page()
    sitting = Sitting(desk, page, notebook)
    page.on("pageerror", lambda error: sitting.wrong.append(f"{error} {error.stack}"))
    page.on("dialog", lambda dialog: dialog.accept())  # a page may be left unsaved
    page.goto(desk.url(f"{app}/{notebook}?token={desk.token}&reset"))
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=90_000)
    if app == "notebooks":
        sitting.command("Show the Durable Run")
    else:
        sitting.tab.click()
    sitting.ready()
    return sitting
