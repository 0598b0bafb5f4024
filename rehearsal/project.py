"""The project on disk: its program, its name, and a stack's settings as the engine would hand them over."""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent

Program = Callable[[], None]


def project_program(folder: Path = ROOT) -> Program:
    """The project's `__main__.py`, run in this process as the language host would, afresh each time."""

    def run() -> None:
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
        runpy.run_path(str(folder / "__main__.py"), run_name="__main__")

    return run


def project_name(folder: Path = ROOT) -> str:
    """The project's name, which is the namespace of its own settings."""
    return _project(folder)["name"]


def stack_config(stack: str, folder: Path = ROOT) -> dict[str, Any]:
    """The stack file's settings over the defaults that Pulumi.yaml declares, with full keys (`gpu-slices:replicas`)."""
    project = _project(folder)
    declared = {_full(key, project["name"]): entry for key, entry in (project.get("config") or {}).items()}
    defaults = {
        key: entry["default"] if "default" in entry else entry["value"]
        for key, entry in declared.items()
        if isinstance(entry, Mapping) and ("default" in entry or "value" in entry)
    }
    own = yaml.safe_load((folder / f"Pulumi.{stack}.yaml").read_text()) or {}
    stated = {_full(key, project["name"]): value for key, value in (own.get("config") or {}).items()}
    return {**defaults, **stated}


def with_setting(config: Mapping[str, Any], path: str, value: Any, project: str) -> dict[str, Any]:
    """The configuration with one setting changed, as `pulumi config set --path` does; None removes it."""
    first, *rest = path.split(".")
    return with_value(config, [_full(first, project), *rest], value)


def as_text(config: Mapping[str, Any]) -> dict[str, str]:
    """Settings as a program receives them: texts as they are, everything else as JSON."""
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}


def with_value(tree: Mapping[str, Any], keys: Sequence[str], value: Any) -> dict[str, Any]:
    """A copy of nested mappings with one value changed, or taken away where it is None."""
    first, rest = keys[0], keys[1:]
    if rest:
        return {**tree, first: with_value(tree.get(first) or {}, rest, value)}
    kept = {key: old for key, old in tree.items() if key != first}
    return kept if value is None else {**tree, first: value}


def _project(folder: Path) -> dict[str, Any]:
    return yaml.safe_load((folder / "Pulumi.yaml").read_text())


def _full(key: str, project: str) -> str:
    return key if ":" in key else f"{project}:{key}"
