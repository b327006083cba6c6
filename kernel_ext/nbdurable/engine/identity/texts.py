"""Names inside texts: shell lines, magics, queries. What a grammar marks, and no more."""

from __future__ import annotations

import re
from string import Formatter

_DOLLAR = re.compile(r"\$(\$?[A-Za-z_][\w.]*)")
_WORD = re.compile(r"[^\W\d]\w*")
_AT = re.compile(r"@([^\W\d]\w*)")
_TABLES = re.compile(
    r"""\b(?:FROM|JOIN|DESCRIBE|SUMMARIZE|PIVOT|UNPIVOT)\s+
        (?P<names>"?[^\W\d]\w*"?
            (?:(?:\s+(?:AS\s+)?[^\W\d]\w*)?\s*,\s*"?[^\W\d]\w*"?)*)""",
    re.IGNORECASE | re.VERBOSE,
)

_QUOTED = re.compile(r"""'([^'"\n]{1,1024})'|"([^'"\n]{1,1024})\"""")

PATH_CHARS_MAX = 1_024
"""Longer texts are no names of files."""

PYTHON_MAGICS = frozenset(
    {"time", "timeit", "prun", "memit", "mprun", "lprun", "capture"}
)
"""Magics whose code is Python, as a line or as a cell."""

FOREIGN_MAGICS = frozenset(
    {
        "alias", "autoreload", "autosave", "bash", "bookmark", "cat", "cd", "colors",
        "conda", "config", "cp", "dirs", "dotenv", "durable", "env", "hist", "history",
        "html", "javascript", "js", "latex", "ldir", "less", "lf", "lk", "ll", "load_ext",
        "logoff", "logon", "logstart", "logstate", "logstop", "ls", "lsmagic", "lx",
        "mamba", "man", "markdown", "matplotlib", "micromamba", "mkdir", "mv", "nbdurable",
        "pdoc", "perl", "pinfo", "pinfo2", "pip", "popd", "precision", "psource", "pushd",
        "pwd", "quickref", "reload_ext", "rm", "rmdir", "ruby", "script", "set_env", "sh",
        "svg", "sx", "system", "tb", "unalias", "unload_ext", "uv", "who", "whos",
        "writefile", "xmode",
    }
)  # fmt: skip
"""Magics whose text is no Python: only ``{x}`` and ``$x`` of their line are names."""

BINDING_MAGICS = frozenset(
    {
        "edit",
        "load",
        "loadpy",
        "macro",
        "pylab",
        "recall",
        "rerun",
        "reset",
        "run",
        "store",
    }
)
"""Magics that bind or delete names nobody can foresee."""


def expansions(line: str) -> tuple[list[str], list[str]]:
    """What IPython puts into a shell line: (expressions in braces, names after ``$``).

    Example:
        >>> expansions("cp {src / 'a'} $target $$HOME {{literal}}")
        (["src / 'a'"], ['target'])
    """
    expressions: list[str] = []
    names: list[str] = []
    try:
        for literal, expression, _, _ in Formatter().parse(line):
            found = (match[1] for match in _DOLLAR.finditer(literal))
            names += [token.partition(".")[0] for token in found if token[0] != "$"]
            if expression:
                expressions.append(expression)
    except ValueError:  # IPython then leaves the whole line as it is
        return [], []
    return expressions, names


def words(text: str) -> list[str]:
    """Every identifier in a text."""
    return _WORD.findall(text)


def query_names(text: str) -> list[str]:
    """The names after ``@`` in the text of ``DataFrame.query`` or ``eval``."""
    return _AT.findall(text)


def tables(text: str) -> list[str]:
    """The names that stand where SQL has tables.

    Example:
        >>> tables('SELECT * FROM df d, "other" JOIN third USING (id)')
        ['df', 'other', 'third']
    """
    found: list[str] = []
    for match in _TABLES.finditer(text):
        items = match["names"].split(",")
        found += [item.split()[0].strip('"') for item in items]
    return found


def file_names(text: str) -> list[str]:
    """What in a text may be the name of a file: all of it, and what it quotes.

    Example:
        >>> file_names("SELECT * FROM 'sales.parquet'")[1:]
        ['sales.parquet']
    """
    found = [text] if _is_short_line(text) else []
    return found + [a or b for a, b in _QUOTED.findall(text)]


def _is_short_line(text: str) -> bool:
    return 0 < len(text) <= PATH_CHARS_MAX and not {"\n", "\0"} & {*text}


def without_options(line: str) -> str:
    """The line of a magic without its leading options.

    Example:
        >>> without_options("-n 3 -r1 f(x)")
        'f(x)'
    """
    rest = line.strip()
    while option := re.match(r"-{1,2}[A-Za-z][\w-]*(?:\s+\d+(?=\s))?(?:\s+|$)", rest):
        rest = rest[option.end() :]
    return rest
