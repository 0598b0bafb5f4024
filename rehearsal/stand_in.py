"""What every stand-in is: a provider without a cloud, over plain Python values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pulumi.runtime.proto import provider_pb2

from rehearsal.schemas import Problem
from rehearsal.values import Difference


class Refused(Exception):  # noqa: N818 - what a cloud does, in its own word
    """The pretended cloud refuses, in the words that the user will see."""


@dataclass(frozen=True, kw_only=True)
class Diff:
    """What changed, and the properties whose change replaces; `of_outputs` are changes of outputs, not of inputs.

    With `delete_first` a replacement deletes the old resource before it creates the new one.
    """

    changes: tuple[Difference, ...] = ()
    replaces: frozenset[str] = frozenset()
    delete_first: bool = False
    of_outputs: frozenset[str] = field(default_factory=frozenset)

    def without(self, ignored: Iterable[str]) -> Diff:
        """The same without what the program wants ignored; of its inputs the engine takes care itself."""
        left_out = frozenset(ignored)
        return replace(self, changes=tuple(change for change in self.changes if change.path not in left_out))

    def is_replacing(self, path: str) -> bool:
        """Whether a property is one of those that replace, inside one, or around one (added or deleted with it)."""
        inside = any(path == p or path.startswith((f"{p}.", f"{p}[")) for p in self.replaces)
        return inside or any(p.startswith(f"{path}.") for p in self.replaces)


class StandIn:
    """A provider without a cloud. Methods get plain values and raise Refused; what a stand-in lacks it does not override.

    `token` is a resource's type, `old` and `new` its inputs, `state` its inputs and outputs as stored. In a preview
    values may be UNKNOWN, and nothing may be changed.
    """

    package = ""
    version = ""
    accepts_references = False

    def configure(self, config: Mapping[str, Any]) -> None:
        """Takes the provider's configuration; called once, before everything but `check_config`."""

    def check_config(self, config: Mapping[str, Any]) -> tuple[Problem, ...]:
        """What is wrong with a configuration."""
        return ()

    def diff_config(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> Diff:
        """What changed in the configuration; a replaced provider replaces all its resources."""
        raise NotImplementedError

    def check(
        self, token: str, urn: str, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> tuple[Mapping[str, Any], tuple[Problem, ...]]:
        """The inputs with names and defaults filled in, and what is wrong with them; `old` is empty for a new resource."""
        raise NotImplementedError

    def diff(
        self, token: str, urn: str, old: Mapping[str, Any], new: Mapping[str, Any], state: Mapping[str, Any]
    ) -> Diff:
        """What an update would change."""
        raise NotImplementedError

    def create(self, token: str, urn: str, inputs: Mapping[str, Any], preview: bool) -> tuple[str, Mapping[str, Any]]:
        """Makes a resource: its id and state."""
        raise NotImplementedError

    def read(self, token: str, urn: str, id_: str, state: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The resource's state in the world, or None when it is gone."""
        raise NotImplementedError

    def inputs_of(self, token: str, state: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a program would have to say of a resource in this state, which is imported."""
        raise NotImplementedError

    def update(
        self, token: str, urn: str, id_: str, inputs: Mapping[str, Any], state: Mapping[str, Any], preview: bool
    ) -> Mapping[str, Any]:
        """Changes a resource in place: its new state."""
        raise NotImplementedError

    def delete(self, token: str, urn: str, id_: str, state: Mapping[str, Any]) -> None:
        """Takes a resource away."""
        raise NotImplementedError

    def invoke(self, token: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answers a question."""
        raise NotImplementedError

    def construct(self, request: provider_pb2.ConstructRequest) -> provider_pb2.ConstructResponse:
        """Registers a component and its children."""
        raise NotImplementedError


def parsed(config: Mapping[str, Any]) -> dict[str, Any]:
    """A provider's configuration with its nested values: the engine sends everything but texts as JSON text."""

    def value(text: Any) -> Any:
        if not isinstance(text, str) or (text[:1] not in ("{", "[") and text not in ("true", "false")):
            return text
        try:
            return json.loads(text)
        except ValueError:
            return text

    return {name: value(text) for name, text in config.items() if name != "version"}
