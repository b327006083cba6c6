"""Notebooks that are forked, renamed, copied or somebody else's, in a real JupyterLab."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.ui.desk import IN_LAB, Desk, Sit, sit
from tests.ui.notebooks import FINDINGS, REVIEW, SETUP

pytestmark = IN_LAB

INVOICE = """%%durable invoice
@nd.tool(effect="write")
def send_invoice(name):
    return "sent to " + name
print(send_invoice("anna"))
"""


def test_a_fork_from_the_sidebar(sitting: Sit) -> None:
    """«fork here» in a cell's details goes on in a new run, and asks before a write repeats."""
    lab = sitting(SETUP, FINDINGS, INVOICE)
    lab.run(0, 1, 2)
    expect(lab.panel).to_contain_text("run 1, since")
    expect(lab.cell(2)).to_contain_text("sent to anna")
    lab.panel.get_by_role("button", name=re.compile("ran: findings")).click()
    lab.panel.get_by_role("button", name="fork here").click()
    asked = lab.panel.get_by_role("alertdialog")
    if asked.count():
        lab.shot("fork-asks")
        asked.locator(".yes").click()
    expect(lab.panel).to_contain_text("run 2, since")
    expect(lab.panel).to_contain_text("forked from run 1 at findings")
    expect(lab.panel.locator(".cells tbody tr")).to_have_count(1)
    lab.run(1)
    expect(lab.cell(1)).to_contain_text("replayed from")
    lab.run(2)
    expect(lab.cell(2)).to_contain_text("already happened in run 1")
    expect(lab.panel.locator(".need")).to_contain_text("send_invoice('anna')")
    lab.shot("forked")
    assert lab.ours == []


def test_a_notebook_renamed_while_open(sitting: Sit) -> None:
    """The run goes on under the new name: live, without a kernel, and with the next one."""
    lab = sitting(SETUP, FINDINGS)
    lab.run(0, 1)
    expect(lab.panel.locator("h1")).to_have_text("research.ipynb")
    lab.page.keyboard.press("Control+s")
    lab.menu("File", "Rename Notebook…")
    field = lab.page.locator(".jp-Dialog input")
    field.fill("renamed.ipynb")
    lab.accept()
    expect(lab.panel.locator("h1")).to_have_text("renamed.ipynb")
    lab.run(1)
    expect(lab.panel.locator(".cells")).to_contain_text("replayed whole")
    lab.menu("Kernel", "Restart Kernel…")
    lab.accept()
    expect(lab.panel).to_contain_text("This kernel is new")
    lab.run(0, 1)
    expect(lab.cell(1)).to_contain_text("run 1, since")
    lab.menu("Kernel", "Shut Down Kernel")
    expect(lab.panel).to_contain_text("This notebook has no kernel")
    expect(lab.panel.locator(".cells")).to_contain_text("findings")
    lab.shot("renamed")
    assert lab.ours == []


def test_a_copied_notebook_is_offered_a_fork(sitting: Sit) -> None:
    """Beside a copy, before anything runs, one click goes on where nothing is paid again."""
    lab = sitting(SETUP, FINDINGS)
    lab.run(0, 1)
    expect(lab.panel).to_contain_text("6 calls ran")
    lab.page.keyboard.press("Control+s")
    copy = lab.notebook.replace("research", "copy")
    shutil.copy(lab.desk.folder / lab.notebook, lab.desk.folder / copy)
    lab.open(copy)
    expect(lab.panel).to_contain_text("This notebook is a copy of research.ipynb")
    lab.shot("copy")
    lab.panel.get_by_role("button", name="go on from its run 1").click()
    expect(lab.panel.locator("h1")).to_have_text("copy.ipynb")
    expect(lab.panel).to_contain_text("forked from run 1")
    lab.run(0, 1)
    expect(lab.cell(1)).to_contain_text("replayed from")
    lab.front(lab.notebook)
    expect(lab.panel.locator("h1")).to_have_text("research.ipynb")
    assert lab.ours == []


def foreign(path: Path) -> None:
    """Leave in a notebook's outputs only a run that its store doesn't have."""
    found = json.loads(path.read_text(encoding="utf-8"))
    about = {"kind": "status", "run": "0123456789ab"}
    shown = {
        "output_type": "display_data",
        "data": {"text/plain": "invoice · 1 call ran"},
    }
    found["cells"][2]["outputs"] = [{**shown, "metadata": {"nbdurable": about}}]
    path.write_text(json.dumps(found), encoding="utf-8")


def test_a_colleagues_notebook_warns_before_a_write(
    desk: Desk, browser: Browser
) -> None:
    """Opened, it says that its writes aren't known here; run, it says so before the first."""
    path = desk.notebook("colleague/research.ipynb", SETUP, FINDINGS, INVOICE)
    foreign(desk.folder / path)
    lab = sit(desk, browser, path)
    try:
        expect(lab.panel).to_contain_text("outputs of a run that is not in this store")
        expect(lab.panel).to_contain_text("would be made again")
        lab.shot("colleague")
        lab.run(0, 1)
        expect(lab.cell(1)).to_contain_text(
            "outputs of a run that is not in this store"
        )
        lab.run(2)
        expect(lab.cell(2)).to_contain_text("sent to anna")
        expect(lab.cell(2)).not_to_contain_text("is not in this store")
        assert lab.ours == []
    finally:
        lab.close()


def test_two_views_of_one_notebook(sitting: Sit) -> None:
    """Both tabs show the run as it goes on, whichever is in front, and ask once."""
    lab = sitting(SETUP, FINDINGS, REVIEW)
    lab.run(0, 1)
    expect(lab.panel).to_contain_text("6 calls ran")
    tabs = lab.page.locator(".lm-DockPanel .lm-TabBar-tab")
    tabs.first.click(button="right")
    lab.page.locator(".lm-Menu-item", has_text="New View for Notebook").click()
    expect(tabs).to_have_count(2)
    lab.run(2)
    expect(lab.tab).to_contain_text("1")
    for tab in (0, 1):
        tabs.nth(tab).click()
        expect(lab.panel.locator(".need")).to_contain_text("Send this to Anna?")
        expect(lab.panel).not_to_contain_text("not loaded")
    lab.panel.get_by_role("button", name="yes: nd.approve").click()
    expect(lab.panel.locator(".need")).to_have_count(0)
    assert lab.ours == []


CHOOSE = """%%durable choose
chosen = nd.ask("Which one?", answer=["ok", "only if nobody in the house has anything against it"])
"""


def test_the_status_bar_leads_to_a_question_in_another_notebook(sitting: Sit) -> None:
    """Its answers are too long for the toast, which says so by «show» alone."""
    lab = sitting(SETUP, CHOOSE)
    lab.tab.click()
    lab.run(0, 1)
    toast = lab.page.locator(".Toastify__toast", has_text="Which one?")
    expect(toast.get_by_role("button", name="show")).to_be_visible()
    expect(toast.get_by_role("button", name="ok")).to_have_count(0)
    lab.open(lab.desk.notebook("elsewhere/another.ipynb", SETUP))
    front = lab.page.locator("#jp-main-dock-panel .lm-mod-current .lm-TabBar-tabLabel")
    expect(front).to_have_text("another.ipynb")
    lab.page.get_by_role("button", name="1 needs you").click()
    expect(front).to_have_text("research.ipynb")
    expect(lab.panel.locator(".need button").first).to_be_focused()
    expect(toast).to_have_count(0)
    lab.shot("needs-you")
    assert lab.ours == []
