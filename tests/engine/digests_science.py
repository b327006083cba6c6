"""Sparse matrices, estimators, graphs and images."""

# ruff: noqa: PLW0108  # every value of a table is made by a lambda

from __future__ import annotations

import io
import pickle
from collections.abc import Callable

import networkx as nx
import numpy as np
import pandas as pd
import scipy.sparse as sp
import scipy.special
import scipy.stats
from PIL import Image
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

Make = Callable[[], object]

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
Y = (X[:, 0] > 0).astype(int)
FORMATS = ("csr", "csc", "coo", "bsr", "lil", "dok", "dia")

MODELS: dict[str, Make] = {
    "regression": lambda: LogisticRegression().fit(X, Y),
    "forest": lambda: RandomForestClassifier(5, random_state=0).fit(X, Y),
    "boosting": lambda: HistGradientBoostingClassifier(max_iter=3, random_state=0).fit(
        X, Y
    ),
    "pipeline": lambda: make_pipeline(StandardScaler(), SVC()).fit(X, Y),
    "clusters": lambda: KMeans(2, random_state=0, n_init=1).fit(X),
    "neighbours": lambda: KNeighborsClassifier(algorithm="kd_tree").fit(X, Y),
    "columns": lambda: ColumnTransformer([("a", OneHotEncoder(), [0])]).fit(
        pd.DataFrame({"x": ["a", "b"]})
    ),
    "not fitted": LogisticRegression,
}


def stored(value: object) -> object:
    """A value after a round trip through storage."""
    return pickle.loads(pickle.dumps(value))  # our own bytes


def matrix(kind: str) -> sp.sparray:
    """A sparse matrix of some format."""
    return sp.random_array(
        (9, 9), density=0.2, rng=np.random.default_rng(1), format=kind
    )


def wide(value: sp.csr_array) -> sp.csr_array:
    """The same with wider indices."""
    value.indices, value.indptr = value.indices.astype("i8"), value.indptr.astype("i8")
    return value


def shuffled(value: sp.csr_array) -> sp.csr_array:
    """The same with the entries of each row turned round."""
    for first, last in zip(value.indptr, value.indptr[1:], strict=False):
        for part in (value.indices, value.data):
            part[first:last] = part[first:last][::-1]
    value.has_sorted_indices = False
    return value


def in_parts() -> sp.coo_array:
    """An entry that is written in two parts."""
    return sp.coo_array(([1.0, 2.0, 3.0], ([0, 0, 1], [1, 1, 0])), shape=(2, 2))


def looked_at(graph: nx.Graph) -> nx.Graph:
    """The same graph after its views were asked for."""
    assert graph.adj
    assert graph.nodes
    assert graph.edges
    assert dict(graph.degree)
    return graph


def picture(mode: str = "L") -> Image.Image:
    """A small picture."""
    return Image.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8)).convert(mode)


def file(kind: str, mode: str = "L", *, load: bool, frame: int = 0) -> Image.Image:
    """A picture out of a file, loaded or not yet."""
    data = io.BytesIO()
    more = {"save_all": True, "append_images": [picture("P").rotate(180)]}
    picture(mode).save(data, kind, **(more if kind == "GIF" else {}))
    opened = Image.open(io.BytesIO(data.getvalue()))
    if frame:
        opened.seek(frame)
    if load:
        opened.load()
    return opened


def marked(image: Image.Image, **info: object) -> Image.Image:
    """A picture with something said about it."""
    image.info.update(info)
    return image


EQUAL: dict[str, tuple[Make, ...]] = {
    **{
        f"{kind} matrix": (
            lambda k=kind: matrix(k),
            lambda k=kind: matrix(k).copy(),
            lambda k=kind: stored(matrix(k)),
            lambda k=kind: matrix("coo").asformat(k),
        )
        for kind in FORMATS
    },
    "entries": (
        lambda: matrix("csr"),
        lambda: wide(matrix("csr")),
        lambda: shuffled(matrix("csr")),
    ),
    "parts": (
        in_parts,
        lambda: sp.coo_array(([3.0, 3.0], ([1, 0], [0, 1])), shape=(2, 2)),
    ),
    "vector": (
        lambda: sp.coo_array(np.array([0, 1, 2])),
        lambda: sp.coo_array(([2, 1], ([2, 1],)), shape=(3,)),
    ),
    **{
        f"model: {name}": (make, make, lambda m=make: stored(m()))
        for name, make in MODELS.items()
    },
    "graph": (
        nx.karate_club_graph,
        lambda: looked_at(nx.karate_club_graph()),
        lambda: stored(looked_at(nx.karate_club_graph())),
    ),
    "directed graph": (
        lambda: nx.DiGraph([(1, 2), (2, 3)]),
        lambda: looked_at(nx.DiGraph([(1, 2), (2, 3)])),
    ),
    "multigraph": (
        lambda: nx.MultiGraph([(1, 2), (1, 2)]),
        lambda: nx.MultiGraph([(1, 2), (1, 2)]).copy(),
    ),
    **{
        f"picture {mode}": (
            lambda m=mode: picture(m),
            lambda m=mode: picture(m).copy(),
            lambda m=mode: stored(picture(m)),
        )
        for mode in ("L", "RGB", "RGBA", "1", "P", "F", "I")
    },
    **{
        f"{kind} file": (
            lambda k=kind: file(k, load=False),
            lambda k=kind: file(k, load=True),
        )
        for kind in ("PNG", "JPEG", "GIF", "BMP")
    },
    "file with a palette": (
        lambda: file("PNG", "P", load=False),
        lambda: file("PNG", "P", load=True),
    ),
    "second frame": (
        lambda: file("GIF", load=False, frame=1),
        lambda: file("GIF", load=True, frame=1),
    ),
    "said": (
        lambda: marked(picture(), dpi=(72, 72), a=1),
        lambda: marked(picture(), a=1, dpi=(72, 72)),
    ),
    "distribution": (
        lambda: scipy.stats.norm(0, 1),
        lambda: stored(scipy.stats.norm(0, 1)),
    ),
    "special function": (lambda: scipy.special.expit, lambda: scipy.special.expit),
}

DIFFERENT: dict[str, tuple[Make, ...]] = {
    "matrices": (
        *(lambda k=k: matrix(k) for k in FORMATS),
        lambda: sp.csr_matrix(matrix("csr")), lambda: matrix("csr").T.tocsr(),
        lambda: matrix("csr") * 2, lambda: matrix("csr").astype("f4"),
        lambda: matrix("csr")[:, :8], lambda: matrix("csr").toarray(),
        lambda: matrix("csr").tobsr((3, 3)),
    ),
    "models": (
        *MODELS.values(), lambda: LogisticRegression(C=2.0),
        lambda: LogisticRegression(C=2.0).fit(X, Y), lambda: LogisticRegression().fit(-X, Y),
        lambda: RandomForestClassifier(5, random_state=1).fit(X, Y),
    ),
    "graphs": (
        lambda: nx.Graph([(1, 2)]), lambda: nx.DiGraph([(1, 2)]), lambda: nx.DiGraph([(2, 1)]),
        lambda: nx.MultiGraph([(1, 2)]), lambda: nx.MultiDiGraph([(1, 2)]),
        lambda: nx.Graph([(1, 2, {"w": 1})]), lambda: nx.Graph([(1, 2), (2, 3)]),
        lambda: nx.Graph([(1, 2)], name="a"), nx.Graph,
    ),
    "pictures": (
        *(lambda m=m: picture(m) for m in ("L", "RGB", "RGBA", "1", "P", "F", "I")),
        lambda: picture().rotate(180), lambda: picture().crop((0, 0, 4, 6)),
        lambda: picture().transpose(Image.Transpose.ROTATE_90),
        lambda: file("PNG", load=True), lambda: file("BMP", load=True),
        lambda: marked(picture(), a=1), lambda: marked(picture("P"), transparency=0),
        lambda: file("GIF", load=True), lambda: file("GIF", load=True, frame=1),
    ),
    "palettes": (
        lambda: picture("P"), lambda: picture("P").quantize(4), lambda: picture("RGB").quantize(8),
    ),
}  # fmt: skip

REFUSED: dict[str, tuple[Make, str, str]] = {
    "model that holds one": (
        lambda: LogisticRegression(C=iter(())),
        "builtins.tuple_iterator",
        ".C",
    ),
    "graph that holds one": (
        lambda: nx.Graph([(1, 2, {"w": iter(())})]),
        "builtins.tuple_iterator",
        ".edges[1][2]['w']",
    ),
}
