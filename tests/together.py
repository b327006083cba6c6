"""Which tests one worker runs, and in which order.

A server, a browser or a kernel that a fixture makes for a module would be made by each of
three workers. So the tests of a file that take such a fixture are a group, as those with
one `xdist_group` are, and `--dist loadgroup` sends a group to one worker. So are the quick
tests of a file: what they import is imported once, and xdist counts groups after each
test, which takes a twentieth of all CPU if each test is one.
"""

from __future__ import annotations

from collections import Counter

import pytest
from _pytest.nodeid import NodeId


def keep_together(items: list[pytest.Item]) -> None:
    """Write each test's group behind its id, where xdist reads it, and sort them.

    Slow tests begin first, and large groups before small ones: what is long and comes
    last keeps one worker busy.

    xdist 3.8 writes groups itself, in an attribute that pytest 9.2 no longer has: what
    it wrote was read by nobody, and its groups went to all workers.
    """
    groups = {item: group_of(item) for item in items}
    slow = {group for item, group in groups.items() if _is_slow(item)}
    sizes = Counter(group for group in groups.values() if group)
    items.sort(key=lambda item: (groups[item] not in slow, -sizes[groups[item]]))
    for item, group in groups.items():
        if group:
            item._id = NodeId.parse(f"{item.nodeid}@{group}")


def without_group(nodeid: str) -> str:
    """A test's id as it can be typed.

    Example:
        >>> without_group("tests/test_a.py::test_a[b@c]@engine/test_a")
        'tests/test_a.py::test_a[b@c]'
    """
    at = nodeid.rfind("@")
    return nodeid[:at] if at > nodeid.rfind("]") else nodeid


def group_of(item: pytest.Item) -> str:
    """The group of a test; none if any worker may run it at any time.

    It is what the test is marked with, else its file, if a fixture is shared or it is
    quick.
    """
    marked = {str(mark.args[0]) for mark in item.iter_markers("xdist_group")}
    if marked:
        return "_".join(sorted(marked))
    known = item._fixtureinfo.name2fixturedefs.values()
    shares = any(each.scope == "module" for found in known for each in found)
    file = f"{item.path.parent.name}/{item.path.stem}"
    if shares:
        return file
    return "" if _is_slow(item) else f"{file}: quick"


def _is_slow(item: pytest.Item) -> bool:
    return item.get_closest_marker("slow") is not None
