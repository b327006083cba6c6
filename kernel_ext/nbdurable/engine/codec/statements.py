"""Classes that are kept as the statement that makes them.

Some libraries make a class whose attributes don't say how it was made (mapped classes
of SQLAlchemy, structs of msgspec): taken apart and put together it would be another
class. Their statement, read from the cell, is run again where they are loaded; it runs
only from bytes whose signature was checked.
"""

from __future__ import annotations

import ast
import linecache
import weakref
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, Final, NamedTuple

from nbdurable.engine.identity.parsing import parsed

METACLASSES: Final = frozenset(
    {
        "msgspec._core.StructMeta",
        "sqlalchemy.orm.decl_api.DeclarativeMeta",
        "sqlalchemy.orm.decl_api.DeclarativeAttributeIntercept",
        "sqlalchemy.orm.decl_api.DCTransformDeclarative",
    }
)
"""Qualified names of the metaclasses whose classes are kept so."""


class Statement(NamedTuple):
    """One class statement of a cell.

    Attributes:
        filename: Of the cell.
        text: The statement, with its decorators.
        names: Global names that it reads, also from within its methods.
    """

    filename: str
    text: str
    names: tuple[str, ...]


def of(cls: type) -> Statement | None:
    """The statement of a class of the notebook; ``None`` if no cell has it."""
    if cls.__qualname__ != cls.__name__:
        return None
    for filename, text in _cells():
        for node in _classes(text, cls.__name__):
            found = _segment(text, node)
            names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
            return Statement(filename, found, tuple(sorted(names)))
    return None


def cell_of(cls: type) -> str:
    """The file name of the latest cell that makes a class; "" if none is known."""
    outermost = cls.__qualname__.partition(".")[0]
    found = (filename for filename, text in _cells() if _classes(text, outermost))
    return next(found, "")


def run(
    statement: Statement, namespace: MutableMapping[str, Any], needs: Mapping[str, Any]
) -> type:
    """Make the class, unless the namespace has it already from the same statement.

    Names that the namespace lacks are given to it; the class's own name is left as it
    was.
    """
    name = parsed(statement.text).body[0].name  # type: ignore[attr-defined]
    live = namespace.get(name)
    if isinstance(live, type) and _same(of(live), statement):
        return live
    if statement in _made:
        return _made[statement]
    for needed, value in needs.items():
        namespace.setdefault(needed, value)
    before = {name: namespace[name]} if name in namespace else {}
    code = compile(statement.text, statement.filename, "exec", dont_inherit=True)
    exec(code, namespace)  # type: ignore[arg-type]  # noqa: S102  # verified bytes, the user's own statement
    made: type = namespace.pop(name)
    namespace.update(before)
    _made[statement] = made
    return made


_made: Final[weakref.WeakValueDictionary[Statement, type]] = (
    weakref.WeakValueDictionary()
)
"""Two values of one class are loaded one after the other: it is made once."""


def _same(one: Statement | None, other: Statement) -> bool:
    return one is not None and one.text == other.text


def _cells() -> Iterator[tuple[str, str]]:
    """File names and texts of cells, the latest first."""
    for filename, entry in reversed(list(linecache.cache.items())):
        if len(entry) == 4 and entry[1] is None:  # a file's has a time
            yield filename, "".join(entry[2])


def _classes(text: str, name: str) -> list[ast.ClassDef]:
    if name not in text:
        return []
    try:
        tree = parsed(text)
    except SyntaxError:
        return []
    found = [n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == name]
    return found[::-1]


def _segment(text: str, node: ast.ClassDef) -> str:
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    return "\n".join(text.splitlines()[first - 1 : node.end_lineno]) + "\n"
