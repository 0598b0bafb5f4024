"""Reads a stack file: the raw keys of this program's namespace, nothing decrypted, nothing judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from ..naming import PROJECT
from .mistakes import Mistake, SettingsError
from .model import REGION_KEY

_SECRET: Final = "secure"


@dataclass(frozen=True, kw_only=True)
class StackFile:
    """One Pulumi.<stack>.yaml: raw values by key, without the namespace; `aws:region` keeps its own."""

    stack: str
    path: Path
    raw: Mapping[str, Any]


class _StrictLoader(yaml.SafeLoader):
    """YAML in which a key that stands twice is an error rather than the last one winning."""


def _mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[str] = set()
    for key, _ in node.value:
        name = str(key.value)
        if name in seen:
            line = key.start_mark.line + 1
            raise yaml.MarkedYAMLError(problem=f"the name {name!r} is used twice (line {line})")
        seen.add(name)
    return loader.construct_mapping(node, deep=True)


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def stack_path(project: Path, stack: str) -> Path:
    """Where the stack's file lies. Raises SettingsError when it does not exist, naming those that do."""
    path = project / f"Pulumi.{stack}.yaml"
    if not path.is_file():
        there = sorted(found.name.split(".")[1] for found in project.glob("Pulumi.*.yaml"))
        raise SettingsError(
            [
                Mistake(
                    path="--stack",
                    problem=f"there is no file {path.name}",
                    remedy=f"write one of: {', '.join(there)}" if there else "run from the project's folder",
                )
            ]
        )
    return path


def read_stack_file(path: Path) -> StackFile:
    """The stack file's raw keys. Raises SettingsError for a file that cannot be read or has encrypted keys of ours."""
    return read_stack_text(_read(path), path)


def read_stack_text(text: str, path: Path) -> StackFile:
    """The same for a text that is at hand already; `path` only names it."""
    try:
        content = yaml.load(text, Loader=_StrictLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SettingsError(
            [Mistake(path=path.name, problem=_yaml_problem(error), remedy="correct the YAML")]
        ) from None
    config = content.get("config") if isinstance(content, dict) else None
    if not isinstance(config, dict):
        raise SettingsError(
            [Mistake(path=path.name, problem="has no `config:` mapping", remedy="add config: with keys")]
        )
    raw = {name: value for key, value in config.items() if (name := _own(str(key))) is not None}
    secrets = [found for name, value in raw.items() for found in _secret_paths(name, value)]
    if secrets:
        raise SettingsError(
            Mistake(path=where, problem="is encrypted; no setting is a secret", remedy="write it in clear")
            for where in secrets
        )
    return StackFile(stack=path.name.removeprefix("Pulumi.").removesuffix(".yaml"), path=path, raw=raw)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        remedy = "name a text file that you may read"
        raise SettingsError([Mistake(path=str(path), problem=f"cannot be read ({reason})", remedy=remedy)]) from None


def _own(key: str) -> str | None:
    namespace, colon, name = key.partition(":")
    if not colon:
        return key
    if namespace == PROJECT:
        return name
    return key if key == REGION_KEY else None


def _secret_paths(path: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if set(value) == {_SECRET}:
            yield path
        else:
            for key, inner in value.items():
                yield from _secret_paths(f"{path}.{key}", inner)


def _yaml_problem(error: Exception) -> str:
    """The reader's reason; a ValueError is about a date or number that looks like one and is none."""
    if not isinstance(error, yaml.YAMLError):
        return f"has a value that YAML cannot read ({error}); quotes make it a text"
    problem = getattr(error, "problem", None) or "is not YAML"
    mark = getattr(error, "problem_mark", None)
    return f"{problem} (line {mark.line + 1})" if mark is not None else str(problem)
