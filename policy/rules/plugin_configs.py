"""Reads the device plugin's named configs out of what carries them: the chart's values, or a ConfigMap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from gpu_slices import versions

from .pins import RELEASE
from .rule import Resource

CONFIG_MAP: Final = "kubernetes:core/v1:ConfigMap"

#: The two ways of sharing by software: the word for each, and what of it others feel. MIG instances are apart in hardware.
_SOFTWARE_SHARING: Final = {
    "timeSlicing": ("time-slicing", "one slice can take the memory of all"),
    "mps": ("MPS", "a fault of one slice ends all"),
}


@dataclass(frozen=True, kw_only=True, order=True)
class SharedPool:
    """How a pool's GPUs are shared in software; `replicas` are the slices per GPU, `felt` is what others feel of one."""

    pool: str
    strategy: str
    replicas: int
    felt: str


def shared_pools(resource: Resource) -> tuple[SharedPool, ...]:
    """The pools that a resource makes the plugin share, sorted; empty for a resource without plugin configs."""
    texts = _texts(resource)
    return tuple(sorted(one for pool, text in texts.items() for one in _shared(pool, _config(text))))


def _texts(resource: Resource) -> Mapping[str, Any]:
    inputs = resource.inputs
    if resource.type == CONFIG_MAP:
        return inputs.get("data") or {}
    if resource.type == RELEASE and (inputs.get("chart") or "").rsplit("/", 1)[-1] == versions.DEVICE_PLUGIN.chart:
        return ((inputs.get("values") or {}).get("config") or {}).get("map") or {}
    return {}


def _config(text: Any) -> Mapping[str, Any]:
    """The plugin config in a text, or nothing: other ConfigMaps hold other things, and long ones take YAML long to read."""
    if "sharing" not in str(text):
        return {}
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    return found if isinstance(found, dict) and found.get("version") == "v1" else {}


def _shared(pool: str, config: Mapping[str, Any]) -> list[SharedPool]:
    sharing = config.get("sharing") or {}
    return [
        SharedPool(
            pool=pool,
            strategy=word,
            felt=felt,
            replicas=max(entry.get("replicas", 1) for entry in sharing[key]["resources"]),
        )
        for key, (word, felt) in _SOFTWARE_SHARING.items()
        if sharing.get(key, {}).get("resources")
    ]
