"""The data that says what a component creates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Out:
    """An output of another child, by its key: a property, or the resource itself when `name` is empty."""

    child: str
    name: str = ""


@dataclass(frozen=True)
class Made:
    """A value made from outputs of other children once they are known."""

    of: tuple[Out, ...]
    make: Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Child:
    """One resource inside a component. `parent` is another child's key, or "" for the component itself.

    `uses` are the component's inputs that this child's inputs come from (they carry dependencies), `after` the keys of
    children it waits for beyond those whose outputs it takes.
    """

    key: str
    type: str
    name: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    parent: str = ""
    custom: bool = True
    uses: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    ignore_changes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Expansion:
    """The children of a component in the order of registration, and its outputs."""

    children: tuple[Child, ...]
    outputs: Mapping[str, Any]
