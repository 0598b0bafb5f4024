"""The resources of a stack by component: what each holds itself, and the components inside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.demo.words import kind_of


@dataclass(frozen=True, kw_only=True)
class Component:
    """One component; `own` counts its resources by kind, `total` includes those of the components inside."""

    kind: str
    name: str
    own: Mapping[str, int]
    inside: tuple[Component, ...]

    @property
    def total(self) -> int:
        """Resources in here, itself left out."""
        return sum(self.own.values()) + sum(1 + component.total for component in self.inside)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One resource of a stack, as far as the tree needs it."""

    urn: str
    type: str
    parent: str
    custom: bool

    @property
    def name(self) -> str:
        """Its name in the program."""
        return self.urn.rsplit("::", 1)[-1]


def entries_of_state(resources: Iterable[Mapping[str, Any]]) -> tuple[Entry, ...]:
    """Entries from the engine's stored state; the default providers that the engine adds are left out."""
    return tuple(
        Entry(urn=one["urn"], type=one["type"], parent=one.get("parent", ""), custom=one.get("custom", False))
        for one in resources
        if not _is_default_provider(one)
    )


def component_tree(entries: Sequence[Entry]) -> tuple[Component, ...]:
    """The components at the top, sorted by name; each holds those inside it."""
    components = {entry.urn for entry in entries if not entry.custom}
    tops = [entry for entry in entries if not entry.custom and entry.parent not in components]
    return tuple(_component(entry, entries) for entry in sorted(tops, key=lambda entry: entry.name))


def _is_default_provider(resource: Mapping[str, Any]) -> bool:
    name = resource["urn"].rsplit("::", 1)[-1]
    return resource["type"].startswith("pulumi:providers:") and name.startswith("default")


def _component(entry: Entry, entries: Sequence[Entry]) -> Component:
    children = [one for one in entries if one.parent == entry.urn]
    own = Counter(kind_of(one.type) for one in children if one.custom)
    inside = sorted((one for one in children if not one.custom), key=lambda one: one.name)
    return Component(
        kind=kind_of(entry.type),
        name=entry.name,
        own=dict(sorted(own.items())),
        inside=tuple(_component(one, entries) for one in inside),
    )
