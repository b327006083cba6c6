"""Arrays over one memory are over one memory again, whichever of them was kept."""

from __future__ import annotations

import pytest

from tests.engine.notebooks import Notebook
from tests.engine.tied import back, holds, replays, restart, restores

OVER = """
import numpy as np
m = bytearray(80)
"""

ARRAYS = {
    "an array": (
        ["import numpy as np\na = np.zeros(3)", "held = [a]", "held[0][1] = 5"],
        "held[0] is a and a[1] == 5",
    ),
    "a view that can't be written": (
        [
            "import numpy as np\na = np.zeros(3); v = a.view(); v.flags.writeable = False",
            "a[0] = 7",
        ],
        "v[0] == 7 and np.shares_memory(a, v) and not v.flags.writeable",
    ),
    "records over an array": (
        [
            "import numpy as np\na = np.zeros(3)",
            "r = a.view(np.recarray); part = r[1:]",
            "a[:] = 7",
        ],
        "type(r) is np.recarray and r[0] == part[0] == 7 and np.shares_memory(a, part)",
    ),
    "a small part of a large array": (
        [
            "import numpy as np\nlarge = np.zeros(10**4); part = large[10:20]",
            "part[0] = 7",
        ],
        "large[10] == 7 and np.shares_memory(large, part)",
    ),
    "a small part, by its owner": (
        ["import numpy as np\nz = np.zeros(10**4); a = z[10:20]", "z[10] = 7"],
        "a[0] == 7 and np.shares_memory(z, a)",
    ),
    "a small part of an earlier step's": (
        ["import numpy as np\nlarge = np.zeros(10**4)", "part = large[10:20]", "n = 1"],
        "np.shares_memory(large, part)",
    ),
    "a small part in a container": (
        ["import numpy as np\nlarge = np.zeros(10**4)", "held = {'head': large[:5]}"],
        "np.shares_memory(large, held['head'])",
    ),
    "a small part of what a container holds": (
        ["import numpy as np\nheld = [np.zeros(10**4)]; part = held[0][:5]", "n = 1"],
        "np.shares_memory(held[0], part)",
    ),
    "a small masked part": (
        ["import numpy as np\nlarge = np.zeros(10**4)", "m = np.ma.array(large[:5])"],
        "np.shares_memory(large, m.data)",
    ),
    "small parts that overlap": (
        ["import numpy as np\nl = np.zeros(10**4); a = l[:9]; b = l[5:12]; del l"],
        "np.shares_memory(a, b)",
    ),
    "a part of what was reshaped": (
        [
            "import numpy as np\nm = np.arange(100).reshape(10, 10)",
            "r = m[1]",
            "r[0] = 7",
        ],
        "m[1, 0] == 7 and np.shares_memory(m, r)",
    ),
    "a part of a part": (
        ["import numpy as np\nm = np.arange(100)[50:]", "r = m[::-1][5:]; r[0] = 7"],
        "m[-6] == 7 and np.shares_memory(m, r)",
    ),
    "a part beside its owner": (
        [
            "import numpy as np\na = np.zeros(10**4); r = a[10:20]",
            "r[0] = 7; n = a[10]",
        ],
        "a[10] == n == 7 and np.shares_memory(a, r)",
    ),
    "a part beside what was reshaped": (
        [
            "import numpy as np\nm = np.arange(100).reshape(10, 10); r = m[:, 1]",
            "r[0] = 7; n = m[0, 1]",
        ],
        "m[0, 1] == n == 7 and np.shares_memory(m, r)",
    ),
    "rows of one with columns first that has no name any more": (
        [
            "import numpy as np\na = np.asfortranarray(np.arange(12.0).reshape(3, 4))",
            "r = a[1]; held = [a[:, 1:]]; del a",
        ],
        "r.tolist() == [4, 5, 6, 7] and np.shares_memory(r, held[0])",
    ),
    "a part of one that was turned": (
        [
            "import numpy as np\nt = np.arange(24).reshape(2, 3, 4).transpose(1, 0, 2)",
            "u = t[1, :, ::-1]",
            "u[0, 3] = 99",
        ],
        "t[1, 0, 0] == 99 and np.shares_memory(u, t)",
    ),
    "a part of one that was turned and has no name any more": (
        [
            "import numpy as np\nt = np.arange(24).reshape(2, 3, 4)[::-1].swapaxes(0, 2)",
            "u, v = t[1], t[:, 2]; del t",
            "u[2, 0] = 99",
        ],
        "v[1, 0] == 99 and v[3, 1] == 11 and u[0].tolist() == [13, 1]",
    ),
    "a field of a table": (
        [
            "import numpy as np\na = np.zeros(9, [('x', 'i4'), ('y', 'f8')])",
            "x = a['x']; b = a[2:][['y']]",
            "x[2] = 5; b['y'][0] = 6",
        ],
        "a[2].item() == (5, 6) and np.shares_memory(a, x)",
    ),
    "a table that is changed by another name": (
        [
            "import numpy as np\na = np.zeros(9, [('x', 'i4'), ('o', 'O')])",
            "held = [a]",
            "held[0]['x'][2] = 5",
        ],
        "held[0] is a and a['x'][2] == 5",
    ),
    "a part of an array of objects": (
        [
            "import numpy as np\no = np.array(['a', 'b', 'c'], object)",
            "v = o[1:][::-1]",
            "v[1] = 'z'",
        ],
        "o[1] == 'z' and np.shares_memory(o, v)",
    ),
    "a part beside an array of objects": (
        [
            "import numpy as np\no = np.array([['a', 'b'], ['c', 0]], object, order='F'); v = o[1]",
            "v[1] = 'z'",
        ],
        "o[1, 1] == 'z' and np.shares_memory(o, v)",
    ),
    "a part of objects that were reshaped": (
        [
            "import numpy as np\no = np.array(['a', 'b', 'c', 0], object).reshape(2, 2)",
            "v = o[1]",
            "v[0] = 'z'",
        ],
        "o[1, 0] == 'z' and np.shares_memory(o, v)",
    ),
    "a part of objects of which another can't be kept": (
        ["import numpy as np\no = np.array([iter('x'), 'b', 'c']); v = o[1:]; del o"],
        "v.tolist() == ['b', 'c']",
    ),
    "a part in the array of objects itself": (
        [
            "import numpy as np\no = np.array([0, 'b', 'c'], object); o[0] = o[1:]; n = 1",
            "n = 2",
        ],
        "o[0].tolist() == ['b', 'c'] and o[1:].tolist() == ['b', 'c']",
    ),
    "texts of numpy's own type": (
        [
            "import numpy as np\na = np.array(['x', 'yy'], np.dtypes.StringDType())",
            "held = [a]",
            "a[1] = 'longer than it was before'",
        ],
        "held[0] is a and a[1] == 'longer than it was before'",
    ),
    "windows of an array": (
        [
            "import numpy as np\na = np.arange(9)",
            "w = np.lib.stride_tricks.sliding_window_view(a, 3)",
            "a[2] = 7",
        ],
        "w[0, 2] == w[1, 1] == w[2, 0] == 7 and not w.flags.writeable",
    ),
    "windows beside their array": (
        [
            "import numpy as np\na = np.arange(9)\nw = np.lib.stride_tricks.as_strided(a, (3, 3), (16, 8))",
            "w[0, 2] = 7",
        ],
        "a[2] == w[1, 0] == 7 and np.shares_memory(a, w)",
    ),
    "an array over bytes that have no name any more": (
        [OVER, "a = np.frombuffer(m, 'u1'); m = 0", "a[3] = 4"],
        "a.tolist() == [0, 0, 0, 4] + [0] * 76",
    ),
    "an array beside the bytes it is over": (
        [OVER + "a = np.frombuffer(m, 'u1')[2:]", "a[0] = 1; n = m[2]"],
        "m[2] == n == 1 and np.shares_memory(a, np.frombuffer(m))",
    ),
    "an array over bytes": (
        ["import numpy as np\nb = bytearray(80); a = np.frombuffer(b)", "a[0] = 1"],
        "b[7] == 63 and np.shares_memory(a, np.frombuffer(b))",
    ),
    "an array over numbers of Python's": (
        [
            "import array, numpy as np\nb = array.array('d', [1, 2]); a = np.frombuffer(b)",
            "n = a[1]",
        ],
        "np.shares_memory(a, np.frombuffer(b)) and b[1] == a[1] == n == 2",
    ),
    "arrays over bytes without a name": (
        ["import numpy as np\na = np.frombuffer(bytearray(80)); b = a.T; c = a[2:]"],
        "np.shares_memory(a, c) and np.shares_memory(a, b)",
    ),
    "two arrays over bytes without a name": (
        [
            OVER + "a, b = np.frombuffer(m), np.frombuffer(m, 'u1'); del m",
            "b[7] = 63; b[6] = 240",
        ],
        "a[0] == 1",
    ),
}


@pytest.mark.wide
@pytest.mark.parametrize(("cells", "expected"), ARRAYS.values(), ids=ARRAYS)
@pytest.mark.parametrize("used", [None, ()], ids=["at once", "when used"])
def test_arrays_over_one_memory(
    cells: list[str], expected: str, used: tuple[str, ...] | None
) -> None:
    """What a later cell changed through one array is seen through all of them."""
    restores(cells, expected, used)


@pytest.mark.wide
@pytest.mark.parametrize(("cells", "expected"), ARRAYS.values(), ids=ARRAYS)
def test_arrays_over_one_memory_on_replay(cells: list[str], expected: str) -> None:
    """The same cells again in a new kernel: replayed one after the other."""
    replays(cells, expected)


@pytest.mark.parametrize(
    "other",
    ["np.asfortranarray(a)", "a[::-1].copy()[::-1]", "np.repeat(a, 2, 1)[:, ::2]"],
    ids=["columns first", "backwards", "with gaps"],
)
@pytest.mark.parametrize("cell", ["r = a[1]", "a[0] = 5; r = a[1:]"])
def test_a_part_of_an_array_that_lies_otherwise_now(cell: str, other: str) -> None:
    """The part is made of it anew: its place would be that of other elements."""
    nb = Notebook()
    made = "import numpy as np\na = np.arange(12.0).reshape(3, 4)"
    nb.plain(made)
    nb.run(cell, "part", "c1")
    r = nb.namespace["r"].tolist()  # type: ignore[attr-defined]  # an array
    nb.restart()
    nb.plain(f"{made}\na = {other}")
    assert "part · ran again" in nb.run(cell, "part", "c1")
    assert holds(nb, f"r.tolist() == {r} and np.shares_memory(a, r)")


@pytest.mark.slow
def test_thousands_of_parts_of_one_array() -> None:
    """They are not compared with one another: pairs of them would take minutes."""
    nb = Notebook()
    nb.run("import numpy as np\nrows = list(np.zeros((2_000, 4)))", "a", "c1")
    nb.run("rows.append(0); heads = [row[:1] for row in rows[:-1]]", "b", "c2")
    nb.run("heads[5][0] = 7", "c", "c3")
    restart(nb)
    back(nb, used=None)
    assert holds(nb, "rows[5][0] == 7 and np.shares_memory(rows[5], heads[5])")


@pytest.mark.slow
def test_thousands_of_arrays_that_were_loaded() -> None:
    """Which of them others see is looked up once for all, not once for each."""
    nb = Notebook()
    made = "import numpy as np\nmany = [np.zeros(300) for _ in range(1_500)]"
    nb.run(made, "a", "c1")
    nb.restart()
    assert "replayed" in nb.run(made, "a", "c1")
    nb.run("many.append(0); many[5][0] = 7", "b", "c2")
    restart(nb)
    back(nb, used=None)
    assert holds(nb, "len(many) == 1_501 and many[5][0] == 7")


@pytest.mark.parametrize("size", [3, 10**4, 10**6])
def test_a_part_of_a_restored_array(size: int) -> None:
    """What is cut from an array that was loaded shares its memory after a load too."""
    nb = Notebook()
    nb.run(f"import numpy as np\na = np.zeros({size})", "a", "c1")
    restart(nb)
    back(nb, used=None)
    nb.session.stay()
    nb.run("part = a[1:3]; part[0] = 7", "b", "c2")
    restart(nb)
    back(nb, used=None)
    assert holds(nb, "np.shares_memory(a, part) and a[1] == 7")
