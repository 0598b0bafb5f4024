"""The device plugin's named configs (config file format v1): one per pool, named after the pool, and `exclusive`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import yaml

from .naming import EXCLUSIVE_CONFIG, GPU_RESOURCE

if TYPE_CHECKING:
    from .plan import PoolPlan


def plugin_configs(pools: Iterable[PoolPlan]) -> dict[str, str]:
    """Config key → YAML text. The plugin refuses `replicas: 1`, so an exclusive pool has no sharing block."""
    configs = {EXCLUSIVE_CONFIG: _yaml(_base())}
    configs |= {pool.config_key: _yaml(_config(pool)) for pool in pools}
    return dict(sorted(configs.items()))


def _base() -> dict[str, Any]:
    return {"version": "v1", "flags": {"migStrategy": "none"}}


def _config(pool: PoolPlan) -> dict[str, Any]:
    if pool.exclusive:
        return _base()
    time_slicing = {
        "renameByDefault": pool.sharing.rename_resource,
        "failRequestsGreaterThanOne": pool.sharing.fail_requests_greater_than_one,
        "resources": [{"name": GPU_RESOURCE, "replicas": pool.replicas}],
    }
    return {**_base(), "sharing": {"timeSlicing": time_slicing}}


def _yaml(config: dict[str, Any]) -> str:
    return yaml.safe_dump(config, sort_keys=False)
