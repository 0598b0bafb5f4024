"""Property values as the engine sends them (protobuf structs) and as plain Python."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.struct_pb2 import ListValue, NullValue, Struct, Value

#: Stands for a value that is known only after `up`.
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

#: The key that marks an object as something special, and what it may be.
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
REFERENCE = "5cf8f73096256a8f31e491e813e4eb8e"

_PLAIN_NAME = re.compile(r"[\w$-]+")


def from_struct(struct: Struct) -> dict[str, Any]:
    """A struct as a dict; whole numbers become ints. Special objects stay dicts with their SIGNATURE."""
    return {name: from_value(value) for name, value in struct.fields.items()}


def from_value(value: Value) -> Any:
    """One value as plain Python."""
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return value.string_value
    if kind == "struct_value":
        return {name: from_value(inner) for name, inner in value.struct_value.fields.items()}
    if kind == "list_value":
        return [from_value(inner) for inner in value.list_value.values]
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    return value.bool_value if kind == "bool_value" else None


def to_struct(values: Mapping[str, Any]) -> Struct:
    """The struct of a dict of plain values."""
    return Struct(fields={name: _to_value(value) for name, value in values.items()})


def _to_value(value: Any) -> Value:
    if value is None:
        return Value(null_value=NullValue.NULL_VALUE)
    if isinstance(value, bool):
        return Value(bool_value=value)
    if isinstance(value, (int, float)):
        return Value(number_value=value)
    if isinstance(value, str):
        return Value(string_value=value)
    if isinstance(value, Mapping):
        return Value(struct_value=to_struct(value))
    return Value(list_value=ListValue(values=[_to_value(inner) for inner in value]))


def is_special(value: Any, signature: str) -> bool:
    """Whether a value is an object that carries this SIGNATURE."""
    return isinstance(value, dict) and value.get(SIGNATURE) == signature


def secret(value: Any) -> dict[str, Any]:
    """The value marked as a secret."""
    return {SIGNATURE: SECRET, "value": value}


def reference(urn: str, id_: str | None = None) -> dict[str, Any]:
    """A resource reference; `id_` is "" while the id is unknown and None for a component."""
    return {SIGNATURE: REFERENCE, "urn": urn} | ({} if id_ is None else {"id": id_})


def plain(value: Any) -> Any:
    """The value without its wrappers: secrets and outputs opened, unknown outputs UNKNOWN. References stay."""
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    if value.get(SIGNATURE) == SECRET:
        return plain(value.get("value"))
    if value.get(SIGNATURE) == OUTPUT:
        return plain(value["value"]) if "value" in value else UNKNOWN
    return {name: plain(inner) for name, inner in value.items()}


def has_unknown(value: Any) -> bool:
    """Whether anything inside is known only after `up`."""
    if isinstance(value, dict):
        return any(has_unknown(inner) for inner in value.values())
    if isinstance(value, list):
        return any(has_unknown(inner) for inner in value)
    return value == UNKNOWN


@dataclass(frozen=True)
class Difference:
    """One property that differs: its Pulumi path and whether it was added, deleted or updated."""

    path: str
    kind: str  # add, delete, update


def differences(old: Any, new: Any, path: str = "") -> Iterator[Difference]:
    """What changed between two values, as deep as the values have the same shape; `__…` keys are ours, not the user's."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted({*old, *new}):
            if name.startswith("__") or old.get(name) == new.get(name):
                continue
            yield from differences(old.get(name), new.get(name), join(path, name))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            before = old[index] if index < len(old) else None
            after = new[index] if index < len(new) else None
            if before != after:
                yield from differences(before, after, f"{path}[{index}]")
    elif old != new:
        yield Difference(path, "add" if old is None else "delete" if new is None else "update")


def join(path: str, name: str) -> str:
    """A property path one name deeper, quoted where the name needs it."""
    if not _PLAIN_NAME.fullmatch(name):
        return f"{path}[{json.dumps(name)}]"
    return f"{path}.{name}" if path else name


def strings(value: Any) -> Iterable[str]:
    """Every string inside."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
