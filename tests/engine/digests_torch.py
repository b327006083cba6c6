"""Tensors, modules and optimizers of torch. Only where torch is installed."""

# every value of a table is made by a lambda

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import torch

Make = Callable[[], object]


def grid() -> torch.Tensor:
    """A tensor of two dimensions."""
    return torch.arange(12.0).reshape(3, 4)


def net() -> torch.nn.Module:
    """A small network."""
    torch.manual_seed(0)
    layers = torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8), torch.nn.Linear(8, 1)
    return torch.nn.Sequential(*layers)


def stored(value: object) -> object:
    """A value after a round trip through storage."""
    return pickle.loads(pickle.dumps(value))  # our own bytes


def derived() -> torch.Tensor:
    """A tensor with a gradient."""
    leaf = grid().requires_grad_()
    (leaf * 2).sum().backward()
    return leaf


DTYPES = ("bfloat16", "float16", "float32", "float64", "bool", "int8", "complex64")

EQUAL: dict[str, tuple[Make, ...]] = {
    "views": (
        grid,
        lambda: grid().clone(),
        lambda: grid().t().contiguous().t(),
        lambda: torch.arange(24.0)[::2].reshape(3, 4) / 2,
        lambda: stored(grid()),
    ),
    **{
        name: (
            lambda n=name: torch.ones(3).to(getattr(torch, n)),
            lambda n=name: torch.ones(6).to(getattr(torch, n))[::2],
        )
        for name in DTYPES
    },
    "conjugate": (
        lambda: torch.tensor([1 + 2j]).conj(),
        lambda: torch.tensor([1 - 2j]),
    ),
    "sparse": (
        lambda: torch.eye(3).to_sparse(),
        lambda: torch.eye(3).to_sparse().coalesce(),
    ),
    "module": (net, lambda: copy.deepcopy(net()), lambda: stored(net())),
    "state": (lambda: net().state_dict(), lambda: stored(net().state_dict())),
    "optimizer": (
        lambda: torch.optim.Adam(net().parameters()),
        lambda: torch.optim.Adam(net().parameters()),
    ),
    "generator": (
        lambda: torch.Generator().manual_seed(3),
        lambda: torch.Generator().manual_seed(3),
    ),
    "size": (lambda: grid().shape, lambda: torch.Size([3, 4])),
    "function": (lambda: torch.relu, lambda: torch.relu),
    "gradient": (derived, derived),
}

DIFFERENT: dict[str, tuple[Make, ...]] = {
    "tensors": (
        grid, lambda: grid().double(), lambda: grid().t(), lambda: grid() + 1,
        lambda: grid().reshape(4, 3), lambda: grid().requires_grad_(), derived,
        lambda: torch.nn.Parameter(grid()), lambda: grid().numpy(), lambda: grid().tolist(),
        lambda: grid().to_sparse(),
    ),
    "dtypes": tuple(lambda n=n: torch.ones(3).to(getattr(torch, n)) for n in DTYPES),
    "modules": (net, lambda: net().eval(), lambda: net().double(), lambda: net()[:2]),
    "names": (lambda: torch.float32, lambda: torch.float64, lambda: torch.device("cpu")),
}  # fmt: skip

REFUSED: dict[str, tuple[Make, str, str]] = {
    "meta": (lambda: [torch.empty(3, device="meta")], "torch.Tensor", "[0]"),
    "loader": (
        lambda: torch.utils.data.DataLoader([1]),
        "torch.utils.data.dataloader.DataLoader",
        "",
    ),
}
