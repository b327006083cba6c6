"""A real kernel that waits for a person: killed, answered from a shell, run again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nbdurable.testing.kernel import Kernel
from nbdurable.testing.ran import Ran
from tests.kernel.shells import asked as seen
from tests.kernel.shells import shell

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SETUP = """
import nbdurable as nd
@nd.tool(effect="write")
def send_invoice(customer, amount):
    with open("sent.txt", "a") as file:
        file.write(f"{customer} {amount}\\n")
    return f"in_{customer}_{amount}"
report = "hours: 12"
"""

REVIEW = """%%durable review
if nd.approve("Send this to Anna?", show=report):
    invoice = send_invoice("anna", 1200)
"""

CELL = {"cellId": "c2"}

AWAITED = REVIEW.replace("if nd.approve", "if await nd.aio.approve")


def asked(kernel: Kernel, cell: str) -> Ran:
    """Run the cell until it asks."""
    ran = kernel.send(cell, metadata=CELL)
    kernel.wait_for(ran, lambda: "waits · Send this to Anna?" in ran.text)
    return ran


@pytest.mark.parametrize("cell", [REVIEW, AWAITED], ids=["sync", "await"])
def test_killed_answered_and_sent_once(
    kernel: Kernel, tmp_path: Path, cell: str
) -> None:
    """Asked, killed, answered while no kernel runs, resumed: one invoice."""
    kernel.run(SETUP)
    asked(kernel, cell)
    kernel.kill()
    (waits,) = shell(tmp_path, "inbox")
    assert (waits["reference"], waits["shown"]) == ("review.1", "hours: 12")
    shell(tmp_path, "approve", waits["asked"])
    kernel.restart()
    kernel.run(SETUP)
    for _ in range(2):
        assert kernel.run(cell, metadata=CELL).ok
    assert kernel.run("print(invoice)").text.strip() == "in_anna_1200"
    assert (tmp_path / "sent.txt").read_text() == "anna 1200\n"
    assert shell(tmp_path, "inbox") == []


@pytest.mark.parametrize("cell", [REVIEW, AWAITED], ids=["sync", "await"])
def test_an_answer_releases_a_waiting_cell(
    kernel: Kernel, tmp_path: Path, cell: str
) -> None:
    """From a shell, while the cell waits; a refusal sends nothing."""
    kernel.run(SETUP)
    ran = asked(kernel, cell)
    shell(tmp_path, "approve", seen(tmp_path), "--no")
    assert kernel.wait(ran).ok
    assert not (tmp_path / "sent.txt").exists()


@pytest.mark.parametrize("cell", [REVIEW, AWAITED], ids=["sync", "await"])
def test_an_interrupt_parks_the_question(kernel: Kernel, cell: str) -> None:
    """The kernel is free; another cell answers, and the first one goes on."""
    kernel.run(SETUP)
    ran = asked(kernel, cell)
    kernel.interrupt()
    kernel.wait(ran)
    assert ran.reply["ename"] == "KeyboardInterrupt"
    assert "review.1 waits for a yes or no: Send this to Anna?" in ran.text
    told = kernel.run("%durable inbox").text
    (command,) = re.findall(r"(%durable approve review\.1@\w{6}) \(or --no\)", told)
    refused = kernel.run("%durable approve review.1").text
    assert "review.1 doesn't say which question was seen" in refused
    assert command in refused
    told = kernel.run(command).text
    assert "review.1 is answered and goes on when its cell runs again" in told
    assert kernel.run(cell, metadata=CELL).ok
    assert kernel.run("print(invoice)").text.strip() == "in_anna_1200"
