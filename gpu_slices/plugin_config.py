"""The device plugin's named configs (config file format v1): one per pool, named after the pool, and `exclusive`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import yaml

from .advertised import replicated
from .naming import EXCLUSIVE_CONFIG
from .settings.effective import sharing_of
from .settings.sharing import Sharing

if TYPE_CHECKING:
    from .pool_plan import PoolPlan
    from .settings import Settings


def plugin_configs(settings: Settings, pools: Iterable[PoolPlan]) -> dict[str, str]:
    """Config key → YAML text, of the stack's pools and of those retired from it."""
    configs = {EXCLUSIVE_CONFIG: plugin_config(1, Sharing())}
    configs |= {
        name: plugin_config(pool.replicas, sharing_of(settings, pool)) for name, pool in settings.retired_pools.items()
    }
    configs |= {pool.config_key: plugin_config(pool.replicas, pool.sharing) for pool in pools}
    return dict(sorted(configs.items()))


def plugin_config(replicas: int, sharing: Sharing) -> str:
    """One config. The plugin refuses `replicas: 1`, so what is not multiplied has no sharing block.

    Every config states its MIG strategy: the operator leaves it to them.
    """
    mig = sharing.mig.strategy if sharing.strategy == "mig" and sharing.mig else "none"
    config: dict[str, Any] = {"version": "v1", "flags": {"migStrategy": mig}}
    if replicas > 1:
        config["sharing"] = {
            "mps" if sharing.strategy == "mps" else "timeSlicing": {
                "renameByDefault": sharing.rename_resource,
                "failRequestsGreaterThanOne": sharing.fail_requests_greater_than_one,
                "resources": [{"name": name, "replicas": replicas} for name in replicated(sharing)],
            }
        }
    return yaml.safe_dump(config, sort_keys=False)
