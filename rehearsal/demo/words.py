"""What an edit changes, in the reader's words: config maps and YAML texts are compared key by key, never shown as blobs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from engine.events import at
from engine.operation import Change, Operation
from rehearsal.values import differences

#: The kind of an operation that only compares what a program declares.
DECLARE: Final = "declare"
CONFIG_MAP: Final = "kubernetes:core/v1:ConfigMap"

#: Where the plugin's named configs lie: in the chart's values, or in a config map's data.
_NAMED_CONFIGS: Final = (("kubernetes:helm.sh/v3:Release", "values.config.map"), (CONFIG_MAP, "data"))
_CONFIG_OF: Final = "the plugin's config of pool"
#: Characters of a value that a line shows.
_LONGEST: Final = 60
_CONTENT_HASH: Final = re.compile(r"-[0-9a-f]{10}$")
_REPLACING: Final = frozenset({"replace", "create-replacement", "delete-replaced"})


@dataclass(frozen=True, kw_only=True)
class Line:
    """One value that changed. `path` is as short as it can be told apart; None stands for not there."""

    subject: str
    path: str
    old: Any
    new: Any

    def __str__(self) -> str:
        if self.old is None:
            return f"{self.subject}: added {self.path}".rstrip() + _value(self.new)
        if self.new is None:
            return f"{self.subject}: removed {self.path}".rstrip()
        return f"{self.subject}: {self.path} {_short(self.old)} → {_short(self.new)}"


@dataclass(frozen=True, kw_only=True)
class Description:
    """All that an operation changes. Counts are by kind (`ConfigMap`).

    `replaced` names what is replaced; None where no engine has decided it.
    """

    lines: tuple[Line, ...]
    created: Mapping[str, int]
    deleted: Mapping[str, int]
    updated: Mapping[str, int]
    replaced: tuple[str, ...] | None
    unchanged: int

    @property
    def summary(self) -> str:
        """One sentence over all resources."""
        words = [f"{what} {_counted(counts)}" for what, counts in self._counts() if counts]
        first = "no cluster, node group, node or release is replaced"
        if self.replaced is None:
            first = "whether anything is replaced, only an engine can say"
        elif self.replaced:
            first = f"REPLACED: {', '.join(self.replaced)}"
        return "; ".join([first, ", ".join(words) or "nothing changes", f"{self.unchanged} unchanged"])

    def _counts(self) -> tuple[tuple[str, Mapping[str, int]], ...]:
        return ("updated", self.updated), ("created", self.created), ("deleted", self.deleted)


def describe(operation: Operation, configs: Collection[str]) -> Description:
    """An operation in words, the plugin's configs first; `configs` are their names before and after it."""
    changes = [change for change in operation.changes if change.op not in ("read", "refresh")]
    replaced = tuple(sorted({f"{kind_of(c.type)} {c.name}" for c in changes if c.op in _REPLACING}))
    return Description(
        lines=tuple(sorted(_lines(changes, configs), key=lambda line: not line.subject.startswith(_CONFIG_OF))),
        created=_kinds(changes, "create"),
        deleted=_kinds(changes, "delete"),
        updated=_kinds(changes, "update"),
        replaced=replaced if decided(operation) else None,
        unchanged=operation.unchanged,
    )


def decided(operation: Operation) -> bool:
    """Whether an engine took part, which alone knows what a change replaces."""
    return operation.kind != DECLARE


def replacing(change: Change) -> bool:
    """Whether a step is part of a replacement."""
    return change.op in _REPLACING


def kind_of(type_: str) -> str:
    """`kubernetes:core/v1:ConfigMap` → `ConfigMap`; `pulumi:providers:aws` → `provider aws`."""
    last = type_.rsplit(":", 1)[-1]
    return f"provider {last}" if type_.startswith("pulumi:providers:") else last


def _lines(changes: Sequence[Change], configs: Collection[str]) -> Iterator[Line]:
    """Lines in the order in which the engine works; a renamed config map is told where its successor is created."""
    before = {_lineage(change): change for change in changes if change.type == CONFIG_MAP and change.op == "delete"}
    for change in changes:
        if change.op == "create" and (old := before.get(_lineage(change))):
            yield from _pair(old, change, configs)
        for diff in change.diffs:
            yield from _leaves(change, diff.path, diff.old, diff.new, configs)


def _lineage(change: Change) -> tuple[str, str, str]:
    """The same for a config map and its successor, whose names differ in their content's hash."""
    return change.type, change.parent, _CONTENT_HASH.sub("", change.name)


def _pair(old: Change, new: Change, configs: Collection[str]) -> Iterator[Line]:
    for difference in differences(old.inputs, new.inputs):
        values = at(old.inputs, difference.path), at(new.inputs, difference.path)
        yield from _leaves(new, difference.path, *values, configs)


def _leaves(change: Change, path: str, old: Any, new: Any, configs: Collection[str]) -> Iterator[Line]:
    subject = f"{kind_of(change.type)} {_own_name(change)}"
    for prefix in [prefix for type_, prefix in _NAMED_CONFIGS if type_ == change.type]:
        name = path.removeprefix(prefix).strip('."[]')
        if path.startswith(prefix) and name in configs:
            subject, path = f"{_CONFIG_OF} {name}", ""
    old, new = _opened(old), _opened(new)
    inside = [] if old is None or new is None else [found.path for found in differences(old, new) if found.path]
    if not inside:
        yield Line(subject=subject, path=path, old=old, new=new)
    last_words = Counter(_last(one) for one in inside)
    for one in inside:
        whole = f"{path}.{one}".strip(".")
        short = _last(one) if not path and last_words[_last(one)] == 1 else whole
        yield Line(subject=subject, path=short, old=at(old, one), new=at(new, one))


def _own_name(change: Change) -> str:
    """What the thing is called in its cluster, without its content's hash; else its name in the program."""
    metadata = change.inputs.get("metadata")
    known = metadata.get("name") if isinstance(metadata, Mapping) else change.inputs.get("name")
    return _CONTENT_HASH.sub("", known if isinstance(known, str) else change.name)


def _opened(value: Any) -> Any:
    """YAML or JSON text as what it holds; any other value as it is."""
    if not isinstance(value, str) or not ("\n" in value or value.startswith(("{", "["))):
        return value
    try:
        content = yaml.safe_load(value)
    except yaml.YAMLError:
        return value
    return content if isinstance(content, (dict, list)) else value


def _last(path: str) -> str:
    return path.rsplit(".", 1)[-1]


def _kinds(changes: Sequence[Change], op: str) -> Mapping[str, int]:
    counted = Counter(kind_of(change.type) for change in changes if change.op == op)
    return dict(sorted(counted.items()))


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in counts.items())


def _value(value: Any) -> str:
    return "" if isinstance(value, (dict, list)) else f" {_short(value)}"


def _short(value: Any) -> str:
    text = str(value).replace("\n", " ")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
