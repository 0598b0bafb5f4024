"""The settings' JSON Schema, and what may stand at one place of a stack file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from .model import Settings

JsonSchema = dict[str, Any]


@cache
def json_schema() -> JsonSchema:
    """JSON Schema of the keys of the `gpu-slices:` namespace, camelCase, with descriptions."""
    return Settings.model_json_schema(by_alias=True)


def known_keys(path: Sequence[str | int]) -> list[str]:
    """The keys that may stand in the mapping at `path`, sorted; empty where any key may."""
    nodes = [json_schema()]
    for part in path:
        nodes = [found for node in nodes for found in _children(node, part)]
    return sorted({key for node in nodes for variant in _variants(node) for key in variant.get("properties", {})})


def _children(node: JsonSchema, part: str | int) -> Iterator[JsonSchema]:
    for variant in _variants(node):
        if isinstance(part, int) and "items" in variant:
            yield variant["items"]
        elif part in variant.get("properties", {}):
            yield variant["properties"][part]
        elif isinstance(variant.get("additionalProperties"), dict):
            yield variant["additionalProperties"]


def _variants(node: JsonSchema) -> Iterator[JsonSchema]:
    if "$ref" in node:
        yield from _variants(json_schema()["$defs"][node["$ref"].rpartition("/")[2]])
    elif "anyOf" in node or "oneOf" in node:
        for variant in node.get("anyOf", []) + node.get("oneOf", []):
            yield from _variants(variant)
    else:
        yield node
