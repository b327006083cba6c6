"""scipy's sparse matrices, scikit-learn's estimators and networkx's graphs.

Sparse matrices count by their entries: the width of indices, their order, and how
often a place is written in parts don't. Estimators count by their attributes, graphs
by their nodes and edges in order, without the views that they remember.
"""

from __future__ import annotations

import sys
from typing import Any

from nbdurable.engine.identity.forms import Form, Kinds, Named, named_form, qualified
from nbdurable.engine.identity.keys import Tag
from nbdurable.engine.identity.kinds.objects import (
    caches_of,
    has_own_reduce,
    reduced,
)


def _sparse(value: Any) -> Form:
    entries = value.copy().tocoo()  # the other way round marks the original
    entries.sum_duplicates()
    coords = getattr(entries, "coords", None) or (entries.row, entries.col)
    order = sys.modules["numpy"].lexsort(coords[::-1])
    places = [axis[order].astype("int64") for axis in coords]
    shape = repr((value.shape, getattr(value, "blocksize", None))).encode()
    fields = (qualified(type(value)).encode(), shape)
    return Form(Tag.SPARSE, fields, (entries.data[order], *places), _places)


def _places(position: int) -> str:
    return ".indices" if position else ".data"


def _estimator(value: Any) -> Form:
    """Parameters and what was fitted; the version of scikit-learn isn't a part."""
    cls = type(value)
    state = value.__getstate__()
    if has_own_reduce(cls, object) or type(state) is not dict:
        return reduced(value)
    own = {k: v for k, v in state.items() if k != "_sklearn_version"}
    return named_form(Tag.INSTANCE, (qualified(cls).encode(),), own)


def _distribution(value: Any) -> Form:
    """A distribution of scipy by its parameters, not by its source of randomness."""
    parameters = {k: v for k, v in value._updated_ctor_param().items() if k != "seed"}  # noqa: SLF001  # what scipy makes copies of
    return named_form(Tag.INSTANCE, (qualified(type(value)).encode(),), parameters)


_VIEWS = frozenset({"__networkx_cache__", "_pred", "_succ"})
"""What a graph keeps beside its edges: views, and the edges seen from the other end."""


def _graph(value: Any) -> Form:
    left_out = caches_of(type(value)) | _VIEWS
    own = {k: v for k, v in vars(value).items() if k not in left_out}
    parts = [own.pop("graph", None), own.pop("_node", None), own.pop("_adj", None)]
    labels = (".graph", ".nodes", ".edges", "")
    fields = (qualified(type(value)).encode(),)
    return Form(Tag.GRAPH, fields, (*parts, Named(own)), labels.__getitem__)


KINDS: Kinds = {
    "scipy.sparse._base._spbase": _sparse,
    "scipy.sparse.base.spmatrix": _sparse,
    "scipy.stats._distn_infrastructure.rv_generic": _distribution,
    "sklearn.base.BaseEstimator": _estimator,
    "networkx.classes.graph.Graph": _graph,
}
