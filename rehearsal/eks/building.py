"""Registers an Expansion's children one after the other and resolves what they take from one another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.eks.expansion import Child, Expansion, Made, Out
from rehearsal.values import REFERENCE, UNKNOWN, has_unknown, is_special, reference


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A resource as the engine, or the recording monitor, answered its registration."""

    urn: str
    state: Mapping[str, Any]
    id: str | None = None  # None for a component


#: (child, its resolved inputs, its parent's URN or "" for the component, URNs it depends on) -> the registration
Register = Callable[[Child, Mapping[str, Any], str, tuple[str, ...]], Registered]


def build(expansion: Expansion, uses: Mapping[str, tuple[str, ...]], register: Register) -> dict[str, Any]:
    """Registers all children; the answer is the component's outputs. `uses` are the URNs behind each component input."""
    made: dict[str, Registered] = {}
    for child in expansion.children:
        urns = {urn for name in child.uses for urn in uses.get(name, ())}
        urns |= {made[key].urn for key in (*child.after, *_keys(child.inputs))}
        parent = made[child.parent].urn if child.parent else ""
        made[child.key] = register(child, _resolved(child.inputs, made), parent, tuple(sorted(urns)))
    return _resolved(expansion.outputs, made)


def opened(value: Any, lookup: Callable[[str], Mapping[str, Any]]) -> Any:
    """The value with every resource reference replaced by that resource's state (as the component's SDK does)."""
    if is_special(value, REFERENCE):
        state = lookup(value["urn"])
        return {"urn": value["urn"], **{name: opened(inner, lookup) for name, inner in state.items()}}
    if isinstance(value, dict):
        return {name: opened(inner, lookup) for name, inner in value.items()}
    return [opened(inner, lookup) for inner in value] if isinstance(value, list) else value


def _resolved(value: Any, made: Mapping[str, Registered]) -> Any:
    if isinstance(value, Out):
        source = made[value.child]
        if value.name:
            return source.state.get(value.name, UNKNOWN)
        return reference(source.urn, source.id)
    if isinstance(value, Made):
        parts = [_resolved(out, made) for out in value.of]
        return UNKNOWN if has_unknown(parts) else value.make(*parts)
    if isinstance(value, Mapping):
        return {name: _resolved(inner, made) for name, inner in value.items()}
    return [_resolved(inner, made) for inner in value] if isinstance(value, (list, tuple)) else value


def _keys(value: Any) -> set[str]:
    """The keys of the children whose outputs a value takes."""
    if isinstance(value, Out):
        return {value.child}
    if isinstance(value, Made):
        return {out.child for out in value.of}
    if isinstance(value, Mapping):
        return {key for inner in value.values() for key in _keys(inner)}
    return {key for inner in value for key in _keys(inner)} if isinstance(value, (list, tuple)) else set()
