"""Cells that the tests of the sidebar run."""

from __future__ import annotations

SETUP = """import nbdurable as nd
import os
from pathlib import Path
_ = Path("pid").write_text(str(os.getpid()))
topic = "page"
@nd.tool(effect="read")
def search(query):
    return query.upper()
"""
FINDINGS = """%%durable findings
hits = [search(f"{topic} {n}") for n in range(6)]
"""
REVIEW = """%%durable review
ok = nd.approve("Send this to Anna?", show=hits)
print("answered", ok)
"""
GATED = """%%durable gated
import os, time
@nd.tool(effect="write", on_doubt="ask")
def send_invoice(name):
    while not Path("go").exists():
        time.sleep(0.05)
    return "in_1"
print("sent", send_invoice("anna"))
"""
"""A call that ends when a test wants it, or never."""
