"""The keys in which two stacks' settings differ, defaults applied: writing a default out is no edit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..settings import Settings

#: Stands for a key that one side does not have.
ABSENT: Final = None


@dataclass(frozen=True, kw_only=True)
class KeyEdit:
    """One key: `path` as in the stack file, `parts` its steps. A pool added or removed whole is one edit."""

    path: str
    parts: tuple[str, ...]
    old: Any
    new: Any


def key_edits(old: Settings, new: Settings) -> tuple[KeyEdit, ...]:
    """All edits, sorted by path."""
    found = _between((), _plain(old), _plain(new))
    return tuple(sorted(found, key=lambda edit: edit.path))


def _plain(settings: Settings) -> dict[str, Any]:
    return settings.model_dump(mode="json", by_alias=True)


def _between(path: tuple[str, ...], old: Any, new: Any) -> Iterator[KeyEdit]:
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping) and not _other_kind(path, old, new):
        for key in sorted({*old, *new}, key=str):
            yield from _between((*path, str(key)), old.get(key, ABSENT), new.get(key, ABSENT))
        return
    yield KeyEdit(path=".".join(path), parts=path, old=old, new=new)


def _other_kind(path: tuple[str, ...], old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether a new network became an existing one or the other way round: its keys do not compare."""
    return path == ("network",) and set(old) != set(new)
