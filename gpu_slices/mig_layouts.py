"""MIG layouts as the operator's MIG manager reads them (mig-parted v0.15.0, config file format v1)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import yaml

from .naming import content_name
from .settings.effective import sharing_of
from .settings.sharing import Mig, Sharing

if TYPE_CHECKING:
    from .pool_plan import PoolPlan
    from .settings import Settings

#: What the MIG manager applies to nodes that name no layout.
NO_MIG: Final = "all-disabled"


def mig_layout_name(pool: str, sharing: Sharing) -> str | None:
    """The name of a pool's layout, None without MIG. It follows the layout's content, and not the replicas.

    So a new layout is a new node label: Karpenter replaces nodes by drift, after their pods have left, where the MIG
    manager could not re-partition a GPU in use.
    """
    if sharing.strategy != "mig" or not sharing.mig:
        return None
    return content_name(pool, json.dumps(_layout(sharing.mig), sort_keys=True))


def mig_layouts(settings: Settings, pools: Iterable[PoolPlan]) -> str | None:
    """The layouts of the stack's pools and of those retired from it, as YAML; None where no pool has one."""
    shared = {name: sharing_of(settings, pool) for name, pool in settings.retired_pools.items()}
    shared |= {pool.name: pool.sharing for pool in pools}
    named = {mig_layout_name(name, sharing): sharing.mig for name, sharing in sorted(shared.items())}
    found = {name: _layout(layout) for name, layout in named.items() if name and layout}
    if not found:
        return None
    off = {NO_MIG: [{"devices": "all", "mig-enabled": False}]}
    return yaml.safe_dump({"version": "v1", "mig-configs": {**off, **found}}, sort_keys=False)


def _layout(layout: Mig) -> list[dict[str, Any]]:
    if not layout.gpus:
        return [_part("all", layout.profiles)]
    parts: list[dict[str, Any]] = []
    first = 0
    for part in layout.gpus:
        parts.append(_part(list(range(first, first + part.count)), part.profiles))
        first += part.count
    return parts


def _part(devices: str | list[int], profiles: dict[str, int]) -> dict[str, Any]:
    return {"devices": devices, "mig-enabled": True, "mig-devices": dict(sorted(profiles.items()))}
