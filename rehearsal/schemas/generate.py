"""Writes aws.json, eks.json and kubernetes.json: what the installed SDKs accept, as data the stand-ins read quickly.

`python -m rehearsal.schemas.generate` after a change of an SDK's pin or of TYPES. One line per type:
    {"types": {token: {"in": {name: TYPE}, "required": [name], "out": [name]}}, "objects": {name: {...}}}
TYPE is "string", "number", "boolean", "any", {"list": TYPE}, {"map": TYPE} or {"object": name}.
"""

from __future__ import annotations

import collections.abc
import importlib
import inspect
import json
import typing
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rehearsal.schemas.types import TYPES

FOLDER = Path(__file__).resolve().parent
_SCALARS: dict[Any, str] = {str: "string", int: "number", float: "number", bool: "boolean"}


def main() -> None:
    """Writes every package's file."""
    for package in TYPES:
        (FOLDER / f"{package}.json").write_text(render(package))


def render(package: str) -> str:
    """The text of one package's file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reader = _Reader()
        types = {token: reader.resource(where) for token, where in sorted(TYPES[package].items())}
    return f'{{"types": {_lines(types)},\n"objects": {_lines(reader.objects)}}}\n'


def _lines(entries: dict[str, Any]) -> str:
    return "{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in sorted(entries.items())) + "}"


class _Reader:
    def __init__(self) -> None:
        self.objects: dict[str, Any] = {}

    def resource(self, where: str) -> dict[str, Any]:
        module_name, _, name = where.rpartition(".")
        module = importlib.import_module(module_name)
        resource = getattr(module, name)
        own = inspect.getmodule(resource)
        initial = getattr(own, f"{name}InitArgs", None)
        # The aws SDK calls arguments so where an object inside another resource has the name already.
        whole = None if initial and module_name.startswith("pulumi_aws.") else getattr(module, f"{name}Args", None)
        arguments: Any = whole or initial
        state = getattr(own, f"_{name}State", None)
        outputs = set(_names(state).values()) if state else set(_getters(resource))
        shape = self._shape(arguments)
        return {**shape, "out": sorted(outputs - set(shape["in"]))}

    def _shape(self, arguments: type) -> dict[str, Any]:
        from pulumi import _types

        names = _names(arguments)
        types = _types.input_type_types(arguments)
        parameters = inspect.signature(arguments.__init__).parameters
        required = [names[p.name] for p in parameters.values() if p.name in names and p.default is p.empty]
        return {"in": {n: self._type(types.get(n)) for n in sorted(names.values())}, "required": sorted(required)}

    def _type(self, annotation: Any) -> Any:
        if annotation in _SCALARS:
            return _SCALARS[annotation]
        origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
        if origin in (collections.abc.Sequence, list):
            return {"list": self._type(_unwrapped(arguments[0]))}
        if origin in (collections.abc.Mapping, dict):
            return {"map": self._type(_unwrapped(arguments[1]))}
        if inspect.isclass(annotation) and hasattr(annotation, "_pulumi_input_type"):
            name = f"{annotation.__module__.removesuffix('._inputs')}.{annotation.__name__}"
            if name not in self.objects:
                self.objects[name] = {}  # stops the recursion of types that contain themselves
                self.objects[name] = self._shape(annotation)
            return {"object": name}
        return "any"


def _names(arguments: type) -> dict[str, str]:
    from pulumi import _types

    return _types.input_type_py_to_pulumi_names(arguments)


def _getters(resource: type) -> Iterable[str]:
    for _, member in inspect.getmembers(resource, lambda m: isinstance(m, property)):
        yield getattr(member.fget, "_pulumi_name", member.fget.__name__)


def _unwrapped(annotation: Any) -> Any:
    """`str` of `Union[str, Awaitable[str], Output[T]]`; a union of different types stays what it is."""
    if typing.get_origin(annotation) is not typing.Union:
        return annotation
    plain = [
        a
        for a in typing.get_args(annotation)
        if a is not type(None) and typing.get_origin(a) not in (collections.abc.Awaitable,) and "Output" not in str(a)
    ]
    return plain[0] if len(plain) == 1 else Any


if __name__ == "__main__":
    main()
