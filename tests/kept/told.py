"""The figures of the kept kinds, at the end of a test run."""

from __future__ import annotations

from collections import Counter

import pytest


def tell_kinds(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many kinds came back."""
    fates: Counter[tuple[str, str]] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == "kept" and report.when == "call":
                    fates.update({(e, f): n for e, f, n in value})
    if fates:
        terminalreporter.section("kinds of objects restored after kill -9")
        terminalreporter.write_line(_told(fates))


def _told(fates: Counter[tuple[str, str]]) -> str:
    wanted = sum(n for (expected, _), n in fates.items() if expected != "refused")
    back = sum(n for (_, fate), n in fates.items() if fate == "back")
    wrong = sum(n for (_, fate), n in fates.items() if fate in {"wrong", "lost"})
    refused = sum(n for (_, fate), n in fates.items() if fate == "refused")
    share = f"{back / wanted:.1%}" if wanted else "none"
    return (
        f"{sum(fates.values())} kinds: {back} back ({share} of the {wanted} that should "
        f"be), {refused} refused by name, {wrong} silently wrong"
    )
