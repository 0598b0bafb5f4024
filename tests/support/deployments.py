"""Exported deployments as values that can be compared: without ids of providers, times and order."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

#: Set anew by the engine in every deployment. What it could be imported by is known from the second one on.
_OF_THE_MOMENT = frozenset({"created", "importID", "modified", "sequenceNumber"})
#: A provider's id is a random UUID; references to it are `urn::id`.
_PROVIDER_ID = re.compile(r"^(urn:pulumi:.*pulumi:providers:.*)::[0-9a-f-]{36}$")

#: The engine's mark of special objects, and the mark of a secret.
_MARK, _SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"


def secrets_of(exported: Any) -> frozenset[str]:
    """Every secret of an export that shows secrets, as the text that it is."""
    return frozenset(_secrets(exported))


def _secrets(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping) and value.get(_MARK) == _SECRET:
        secret = json.loads(value["plaintext"])
        yield secret if isinstance(secret, str) else json.dumps(secret)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _secrets(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _secrets(inner)


def in_clear_text(secrets: Iterable[str], backend: Path) -> tuple[str, ...]:
    """The secrets that can be read in some file of a backend, also inside of JSON text."""
    texts = [file.read_text() for file in sorted(backend.rglob("*")) if file.is_file()]
    shapes = {
        secret: (secret, json.dumps(secret)[1:-1], json.dumps(json.dumps(secret)[1:-1])[1:-1]) for secret in secrets
    }
    return tuple(sorted(s for s, forms in shapes.items() if any(form in text for form in forms for text in texts)))


def comparable(resources: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """URN → what the state says of the resource, sorted; what differs between two equal deployments left out."""
    return {one["urn"]: _resource(one) for one in sorted(resources, key=lambda one: one["urn"])}


def _resource(resource: Mapping[str, Any]) -> dict[str, Any]:
    provider = resource["type"].startswith("pulumi:providers:")
    gone = _OF_THE_MOMENT | {"id"} if provider else _OF_THE_MOMENT
    return {key: _plain(value) for key, value in resource.items() if key not in gone}


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        found = _PROVIDER_ID.match(value)
        return found[1] if found else value
    if isinstance(value, Mapping):
        reference = "pulumi:providers:" in str(value.get("urn"))
        return {key: _plain(inner) for key, inner in value.items() if not (reference and key == "id")}
    if isinstance(value, list):
        plain = [_plain(inner) for inner in value]
        return sorted(plain) if all(isinstance(one, str) and one.startswith("urn:pulumi:") for one in plain) else plain
    return value
