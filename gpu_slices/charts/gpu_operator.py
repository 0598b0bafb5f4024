"""Values of the GPU operator's chart on EKS's accelerated AMIs."""

from __future__ import annotations

from typing import Any

from ..images import pinned_values
from ..mig_layouts import NO_MIG
from ..naming import EXCLUSIVE_CONFIG, GPU_OPERATOR_NAMESPACE, GPU_TOLERATION
from ..plan import Plan
from ..versions import GPU_OPERATOR
from .dcgm_exporter import operator_values
from .release import MAX_UNAVAILABLE, Release, rollout_timeout


def release(plan: Plan, config_map: str, layout_map: str | None) -> Release:
    """The release; `config_map` is the name of the named configs' map, which changes with their content, and
    `layout_map` that of the MIG layouts', None where no pool has one."""
    return Release(
        name="gpu-operator",
        pin=GPU_OPERATOR,
        namespace=GPU_OPERATOR_NAMESPACE,
        values=pinned_values(
            GPU_OPERATOR.chart,
            _values(config_map, layout_map, monitored=plan.settings.monitoring.enabled),
            plan.settings.security.digests,
        ),
        timeout_seconds=rollout_timeout(plan.most_gpu_nodes),
    )


def _values(config_map: str, layout_map: str | None, *, monitored: bool) -> dict[str, Any]:
    toleration = dict(GPU_TOLERATION)
    return {
        # Driver and container toolkit are part of the AMI.
        "driver": {"enabled": False},
        "toolkit": {"enabled": False},
        "devicePlugin": {"config": {"create": False, "name": config_map, "default": EXCLUSIVE_CONFIG}},
        # A strategy here would reach the plugin as an environment variable, which beats every named config.
        "mig": {"strategy": ""},
        "migManager": _mig_manager(layout_map),
        "daemonsets": {
            "tolerations": [toleration],
            "updateStrategy": "RollingUpdate",
            "rollingUpdate": {"maxUnavailable": MAX_UNAVAILABLE},
        },
        "node-feature-discovery": {"worker": {"tolerations": [toleration]}},
        "dcgmExporter": operator_values(monitored=monitored),
    }


def _mig_manager(layout_map: str | None) -> dict[str, Any]:
    """Partitions the GPUs of nodes that name a layout. On EC2 a card takes the MIG mode over with a reboot only."""
    if layout_map is None:
        return {"enabled": False}
    return {
        "enabled": True,
        "config": {"create": False, "name": layout_map, "default": NO_MIG},
        "env": [{"name": "WITH_REBOOT", "value": "true"}],
    }
