"""Values of the stand-alone nvidia-device-plugin chart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..images import pinned_values
from ..naming import (
    CONFIG_LABEL,
    DEVICE_PLUGIN_NAMESPACE,
    DEVICE_PLUGIN_RELEASE,
    EXCLUSIVE_CONFIG,
    GPU_TOLERATION,
    MPS_RELEASE,
)
from ..plan import Plan
from ..versions import DEVICE_PLUGIN
from .release import MAX_UNAVAILABLE, Release, rollout_timeout

#: The chart's own affinity terms (0.20.0): any one of them brings the plugin onto a node.
_NVIDIA_NODE_TERMS: Final = (
    ("feature.node.kubernetes.io/pci-10de.present", "true"),
    ("feature.node.kubernetes.io/cpu-model.vendor_id", "NVIDIA"),
    ("nvidia.com/gpu.present", "true"),
)


def releases(plan: Plan) -> list[Release]:
    """The release for all pools but those under MPS, then one of their own for those, where there are any.

    The chart puts a checksum of the config map on the DaemonSets: an edit rolls them by itself, and would roll the MPS
    daemons, whose clients do not survive it, with an edit of any other pool.
    """
    mps = {pool.config_key for pool in plan.pools if pool.strategy == "mps"}
    others = {key: text for key, text in plan.plugin_configs.items() if key not in mps}
    nfd = {"worker": {"tolerations": [dict(GPU_TOLERATION)]}}
    values = _values(others, _on_nodes(others, unlabelled=True), nfd)
    first = _release(plan, DEVICE_PLUGIN_RELEASE, values, plan.most_gpu_nodes)
    if not mps:
        return [first]
    own = {key: text for key, text in plan.plugin_configs.items() if key in mps}
    nodes = sum(pool.most_nodes for pool in plan.pools if pool.config_key in mps)
    # The chart wants a default; no node gets it, since each of these nodes names its pool.
    whole = {EXCLUSIVE_CONFIG: plan.plugin_configs[EXCLUSIVE_CONFIG]}
    values = _values({**own, **whole}, _on_nodes(own, unlabelled=False), {"enabled": False})
    return [first, _release(plan, MPS_RELEASE, values, nodes)]


def _release(plan: Plan, name: str, values: dict[str, Any], nodes: int) -> Release:
    return Release(
        name=name,
        pin=DEVICE_PLUGIN,
        namespace=DEVICE_PLUGIN_NAMESPACE,
        values=pinned_values(DEVICE_PLUGIN.chart, values, plan.settings.security.digests),
        timeout_seconds=rollout_timeout(nodes),
    )


def _values(configs: Mapping[str, str], affinity: dict[str, Any], nfd: dict[str, Any]) -> dict[str, Any]:
    return {
        "config": {"default": EXCLUSIVE_CONFIG, "map": dict(sorted(configs.items()))},
        "gfd": {"enabled": True},
        "affinity": affinity,
        "tolerations": [{"key": "CriticalAddonsOnly", "operator": "Exists"}, dict(GPU_TOLERATION)],
        "nfd": nfd,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": MAX_UNAVAILABLE}},
    }


def _on_nodes(keys: Iterable[str], *, unlabelled: bool) -> dict[str, Any]:
    """The chart's terms, each only for nodes whose config is one of `keys` or, for `unlabelled`, that name none.

    Without it the nodes of a removed pool would crash-loop on a key that is gone and block the rollout, and two
    releases would fight over a node.
    """
    configs = [{"key": CONFIG_LABEL, "operator": "In", "values": sorted(keys)}]
    if unlabelled:
        configs.append({"key": CONFIG_LABEL, "operator": "DoesNotExist"})
    terms = [
        {"matchExpressions": [{"key": key, "operator": "In", "values": [value]}, config]}
        for key, value in _NVIDIA_NODE_TERMS
        for config in configs
    ]
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}
