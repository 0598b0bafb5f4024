"""The JSON Schema of a whole stack file, for editors: the settings' own, as Pulumi's file wraps them."""

from __future__ import annotations

from typing import Any, Final

from ..naming import PROJECT
from .model import REGION_KEY
from .schema import json_schema

#: `pulumi config set` stores whole numbers as text.
_WHOLE_NUMBER: Final = {"type": ["integer", "string"], "pattern": "^-?[0-9]+$"}
#: Keys with a colon that are another namespace's: not ours to judge.
_FOREIGN: Final = f"^(?!{PROJECT}:).+:"


def editor_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of `Pulumi.<stack>.yaml`. Rules over several keys are left to the settings."""
    own = json_schema()
    properties: dict[str, Any] = {}
    for key, schema in own["properties"].items():
        full = key if key == REGION_KEY else f"{PROJECT}:{key}"
        properties[full] = _relaxed(schema)
        if key != REGION_KEY:
            # Pulumi reads a key without a namespace as the project's own.
            properties[key] = {"$ref": f"#/properties/config/properties/{full}"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A stack file of {PROJECT}",
        "type": "object",
        "required": ["config"],
        "properties": {
            "config": {
                "type": "object",
                "required": [REGION_KEY],
                "properties": properties,
                "patternProperties": {_FOREIGN: {}},
                "additionalProperties": False,
            },
            "encryptionsalt": {"type": "string"},
            "encryptedkey": {"type": "string"},
            "environment": {},
            "secretsprovider": {"type": "string"},
        },
        "additionalProperties": False,
        "$defs": {name: _relaxed(schema) for name, schema in own["$defs"].items()},
    }


def _relaxed(node: Any) -> Any:
    """The schema with whole numbers also as text."""
    if isinstance(node, list):
        return [_relaxed(one) for one in node]
    if not isinstance(node, dict):
        return node
    inner = {key: value if key in ("default", "enum", "const") else _relaxed(value) for key, value in node.items()}
    return {**inner, **_WHOLE_NUMBER} if node.get("type") == "integer" else inner
