"""What a table says of one AWS type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class To:
    """That a property names another resource: by which of its handles, and whether that one can't be deleted then.

    `by` is the word that the handle starts with (`vpc-`, `arn:`), "" for a name, "*" for any of them.
    """

    type: str
    by: str = ""
    blocks: bool = True


class View(Protocol):
    """What a rule may ask of the account."""

    def find(self, type_: str, handle: str) -> Mapping[str, Any] | None:
        """The inputs and outputs of the resource that has this id, ARN or name."""
        ...

    def others(self, type_: str) -> tuple[Mapping[str, Any], ...]:
        """The inputs and outputs of every other resource of a type."""
        ...


#: Says why AWS refuses these inputs, or None.
Rule = Callable[[Mapping[str, Any], View], str | None]

#: Output name -> text with `{placeholders}`, a value, or a function of (inputs, placeholders).
Outputs = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class AwsType:
    """One resource type as data.

    `id` and texts in `outputs` are formats over: `{hex17}` `{hex8}` `{hex32}` `{uuid}` `{number}` (all from the URN),
    `{region}` `{account}` `{id}` `{name}`, `{host}` (of an input `url`) and every input that is a text.
    `named` is the property that gets `<logical name>-<7 hex digits>` when the program says none, `prefix` the one that
    asks for another start, `name_before` what such a name must begin with, `longest` how long it may be.
    `immutable` are property paths whose change replaces. `unique` are the properties whose values together exist once,
    refused a second time with the `taken` error code. `in_use` is the error code for deleting what others refer to.
    `handles` are the outputs by which others may refer to it, beside its id and ARN.
    `of_account` says that it belongs to the account and not to a stack: it may well outlive one.
    """

    id: str
    arn: str = ""
    named: str = ""
    prefix: str = ""
    name_before: str = ""
    immutable: frozenset[str] = frozenset()
    unique: tuple[str, ...] = ()
    taken: str = ""
    in_use: str = "DependencyViolation"
    refers: Mapping[str, To] = field(default_factory=dict)
    outputs: Outputs = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    longest: int = 255
    handles: tuple[str, ...] = ()
    of_account: bool = False


def paths(*names: str) -> frozenset[str]:
    """A set of property paths."""
    return frozenset(names)
