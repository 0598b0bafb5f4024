"""What Pulumi.yaml must say of the settings: type, default and description of each key of our namespace."""

from __future__ import annotations

from typing import Any, Final

from .model import REGION_KEY
from .schema import json_schema

_SCALARS: Final = ("string", "integer", "boolean")


def declared_keys() -> dict[str, dict[str, Any]]:
    """Key → `{type, description, default}` as Pulumi.yaml's `config:` takes it.

    The engine cannot describe an object further and asks for a default of every key: an absent object and `{}` are
    the same to us.
    """
    properties = json_schema()["properties"]
    return {key: _declared(schema) for key, schema in properties.items() if key != REGION_KEY}


def _declared(schema: dict[str, Any]) -> dict[str, Any]:
    kind = schema.get("type", "object")
    default = schema.get("default") if kind in _SCALARS else {}
    return {"type": kind, "description": schema["description"], "default": default}
