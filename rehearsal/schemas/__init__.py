"""Property names, required inputs and outputs of the providers' types, read from their SDKs (see generate.py)."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rehearsal.values import UNKNOWN

_ARTICLE = {"string": "a string", "number": "a number", "boolean": "true or false", "list": "a list", "map": "a map"}


@dataclass(frozen=True)
class Problem:
    """What is wrong with one input, as a sentence."""

    path: str
    words: str


@dataclass(frozen=True)
class Shape:
    """The inputs and the purely computed outputs of a type."""

    inputs: Mapping[str, Any]
    required: tuple[str, ...]
    outputs: tuple[str, ...]


class Schema:
    """The types of one package."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._types: Mapping[str, Any] = data["types"]
        self._objects: Mapping[str, Any] = data["objects"]

    @property
    def tokens(self) -> frozenset[str]:
        """The types there are."""
        return frozenset(self._types)

    def shape(self, token: str) -> Shape:
        """Raises LookupError, with the nearest names, for a type the package does not know."""
        if token not in self._types:
            near = difflib.get_close_matches(token, self._types, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise LookupError(f"the stand-in knows no resource type {token}{hint}")
        entry = self._types[token]
        return Shape(inputs=entry["in"], required=tuple(entry["required"]), outputs=tuple(entry["out"]))

    def problems(self, token: str, inputs: Mapping[str, Any]) -> tuple[Problem, ...]:
        """Unknown names, missing required inputs and values of the wrong kind, at any depth."""
        self.shape(token)
        return tuple(self._in_object("", self._types[token], inputs))

    def _in_object(self, path: str, shape: Mapping[str, Any], value: Mapping[str, Any]) -> Iterator[Problem]:
        for name in sorted(value):
            if name.startswith("__"):
                continue
            if name not in shape["in"]:
                near = difflib.get_close_matches(name, shape["in"], 1)
                hint = f"; did you mean {_join(path, near[0])}?" if near else ""
                yield Problem(_join(path, name), f"there is no property {_join(path, name)}{hint}")
            else:
                yield from self._in_value(_join(path, name), shape["in"][name], value[name])
        for name in shape["required"]:
            if value.get(name) is None:
                yield Problem(_join(path, name), f"missing required property {_join(path, name)}")

    def _in_value(self, path: str, type_: Any, value: Any) -> Iterator[Problem]:
        if value is None or value == UNKNOWN or type_ == "any":
            return
        if isinstance(type_, str):
            if not _fits(type_, value):
                yield Problem(path, f"{path} must be {_ARTICLE[type_]}, not {value!r}")
            return
        kind, item = next(iter(type_.items()))
        if kind == "object":
            if not isinstance(value, dict):
                yield Problem(path, f"{path} must be an object, not {value!r}")
            else:
                yield from self._in_object(path, self._objects[item], value)
        elif kind == "list" and isinstance(value, list):
            for index, entry in enumerate(value):
                yield from self._in_value(f"{path}[{index}]", item, entry)
        elif kind == "map" and isinstance(value, dict):
            for name, entry in sorted(value.items()):
                yield from self._in_value(_join(path, name), item, entry)
        else:
            yield Problem(path, f"{path} must be {_ARTICLE[kind]}, not {value!r}")


def _fits(type_: str, value: Any) -> bool:
    """Whether a value is of a scalar type or the bridge to Terraform would turn it into one, which it never does to lists."""
    if isinstance(value, (list, dict)):
        return False
    if type_ == "string":
        return True
    if type_ == "boolean":
        return isinstance(value, bool) or value in ("true", "false")
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return not isinstance(value, bool)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


@cache
def load(package: str) -> Schema:
    """The schema of `aws`, `eks` or `kubernetes`."""
    return Schema(json.loads((Path(__file__).resolve().parent / f"{package}.json").read_text()))
