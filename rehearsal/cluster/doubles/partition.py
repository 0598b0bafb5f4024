"""How the GPUs of a node are partitioned, from a layout as the MIG manager reads it (mig-parted's config file format v1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import yaml

#: For each GPU: MIG profile -> instances; empty where the GPU is whole. No GPU at all: nothing was partitioned yet.
Partition = tuple[Mapping[str, int], ...]

LAYOUT_LABEL, STATE_LABEL = "nvidia.com/mig.config", "nvidia.com/mig.config.state"
#: The key that the operator wants in a map of layouts.
LAYOUTS_KEY = "config.yaml"


class LayoutError(Exception):
    """The MIG manager would give up with this message and label the node `failed`."""


def partition(text: str, layout: str, gpus: int) -> Partition:
    """Return what `layout` of the config file `text` makes of a node's GPUs, or raise LayoutError."""
    config: Mapping[str, Any] = yaml.safe_load(text) or {}
    if config.get("version") != "v1":
        raise LayoutError(f"unknown version: {config.get('version')}")
    named = config.get("mig-configs") or {}
    if layout not in named:
        raise LayoutError(f"selected mig-config not present: {layout}")
    found: list[Mapping[str, int]] = [{} for _ in range(gpus)]
    for part in named[layout]:
        devices = range(gpus) if part["devices"] == "all" else part["devices"]
        for index in devices:
            if index >= gpus:
                raise LayoutError(f"no GPU {index} on a node of {gpus}")
            found[index] = dict(part.get("mig-devices") or {}) if part["mig-enabled"] else {}
    return tuple(found)


def instances(of: Partition) -> dict[str, int]:
    """Return MIG profile -> instances on the node."""
    total: Counter[str] = Counter()
    for one in of:
        total.update(one)
    return dict(sorted(total.items()))
