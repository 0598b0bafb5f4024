"""Values of the stand-alone nvidia-device-plugin chart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from ..images import pinned_values
from ..naming import CONFIG_LABEL, DEVICE_PLUGIN_NAMESPACE, EXCLUSIVE_CONFIG, GPU_TOLERATION
from ..plan import Plan
from ..versions import DEVICE_PLUGIN
from .release import MAX_UNAVAILABLE, Release, rollout_timeout

#: The chart's own affinity terms (0.20.0): any one of them brings the plugin onto a node.
_NVIDIA_NODE_TERMS: Final = (
    ("feature.node.kubernetes.io/pci-10de.present", "true"),
    ("feature.node.kubernetes.io/cpu-model.vendor_id", "NVIDIA"),
    ("nvidia.com/gpu.present", "true"),
)


def release(plan: Plan) -> Release:
    """The release. Its chart puts a checksum of the config map on the DaemonSets: an edit rolls them by itself."""
    return Release(
        name="nvidia-device-plugin",
        pin=DEVICE_PLUGIN,
        namespace=DEVICE_PLUGIN_NAMESPACE,
        values=pinned_values(DEVICE_PLUGIN.chart, _values(plan), plan.settings.security.digests),
        timeout_seconds=rollout_timeout(plan.most_gpu_nodes),
    )


def _values(plan: Plan) -> dict[str, Any]:
    toleration = dict(GPU_TOLERATION)
    return {
        "config": {"default": EXCLUSIVE_CONFIG, "map": dict(plan.plugin_configs)},
        "gfd": {"enabled": True},
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": _node_terms(plan.plugin_configs)
                }
            }
        },
        "tolerations": [{"key": "CriticalAddonsOnly", "operator": "Exists"}, toleration],
        "nfd": {"worker": {"tolerations": [toleration]}},
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": MAX_UNAVAILABLE}},
    }


def _node_terms(keys: Iterable[str]) -> list[dict[str, Any]]:
    """The chart's terms, each only for nodes whose config exists or that name none.

    Without it the nodes of a removed pool would crash-loop on a key that is gone and block the rollout.
    """
    config_exists = {"key": CONFIG_LABEL, "operator": "In", "values": sorted(keys)}
    unlabelled = {"key": CONFIG_LABEL, "operator": "DoesNotExist"}
    return [
        {"matchExpressions": [{"key": key, "operator": "In", "values": [value]}, config]}
        for key, value in _NVIDIA_NODE_TERMS
        for config in (config_exists, unlabelled)
    ]
