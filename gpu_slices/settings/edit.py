"""Edits of raw settings as `pulumi config set --path KEY VALUE` makes them; the file itself stays as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..naming import PROJECT
from .mistakes import Mistake, SettingsError, shown

_STEP: Final = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|(?:^|(?<=.)\.)([^.\["]+)')
_WHOLE: Final = re.compile(r"-?(0|[1-9]\d*)")

Path = tuple[str | int, ...]


def set_value(raw: Mapping[str, Any], assignment: str) -> dict[str, Any]:
    """Raw settings with `KEY=VALUE` set. Raises SettingsError for a key that is no path, naming it.

    true, false and whole numbers are typed, everything else is text, as Pulumi stores it.
    """
    key, equals, text = assignment.partition("=")
    if not equals:
        raise _mistake(assignment, "has no value", "write KEY=VALUE such as replicas=4")
    return _put(raw, _path(key), _value(text), key)


def remove_value(raw: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Raw settings without the key, as `pulumi config rm --path` leaves them. Raises SettingsError where it is not."""
    return _remove(raw, _path(key), key)


def _path(key: str) -> Path:
    own = key.removeprefix(f"{PROJECT}:")
    steps: list[str | int] = []
    end = 0
    for match in _STEP.finditer(own):
        if match.start() != end:
            break
        quoted, index, word = match.groups()
        steps.append(int(index) if index else quoted.replace('\\"', '"') if quoted is not None else word)
        end = match.end()
    if not steps or end != len(own) or isinstance(steps[0], int):
        raise _mistake(key, "is not a path to a key", 'write it like gpuNodePools.burst.replicas or labels["a.b/c"]')
    return tuple(steps)


def _value(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    return int(text) if _WHOLE.fullmatch(text) else text


def _put(tree: Any, path: Path, value: Any, key: str) -> Any:
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        items = _items(tree, key)
        if step > len(items):
            raise _mistake(key, f"the list has {len(items)} items", f"write [{len(items)}] to add one")
        inner = items[step] if step < len(items) else None
        return [*items[:step], _put(inner, rest, value, key), *items[step + 1 :]]
    mapping = _mapping(tree, key)
    name = _name(mapping, step)
    return {**mapping, name: _put(mapping.get(name), rest, value, key)}


def _remove(tree: Any, path: Path, key: str) -> Any:
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        items = _items(tree, key)
        if step >= len(items):
            raise _not_set(key)
        return [*items[:step], *([_remove(items[step], rest, key)] if rest else []), *items[step + 1 :]]
    mapping = _mapping(tree, key)
    name = _name(mapping, step)
    if name not in mapping:
        raise _not_set(key)
    others = {other: value for other, value in mapping.items() if other != name}
    return {**mapping, name: _remove(mapping[name], rest, key)} if rest else others


def _name(mapping: Mapping[Any, Any], step: str) -> Any:
    """The key as the mapping has it: YAML reads the 4 of `maxGpus: {4: 8}` as a number."""
    return next((name for name in mapping if str(name) == step), step)


def _not_set(key: str) -> SettingsError:
    return _mistake(key, "is not set", "name a key that the stack file has")


def _mapping(tree: Any, key: str) -> dict[str, Any]:
    if tree is None:
        return {}
    if isinstance(tree, Mapping):
        return dict(tree)
    raise _mistake(key, f"{shown(tree)} has no keys below it", "name a key that has")


def _items(tree: Any, key: str) -> Sequence[Any]:
    if tree is None:
        return []
    if isinstance(tree, list):
        return tree
    raise _mistake(key, f"{shown(tree)} is not a list", "name a key that is")


def _mistake(path: str, problem: str, remedy: str) -> SettingsError:
    return SettingsError([Mistake(path=path, problem=problem, remedy=remedy)])
