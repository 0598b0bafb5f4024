"""NVIDIA's metrics exporter: its own chart beside the stand-alone plugin, the operator's own under the operator."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from ..images import pinned_values
from ..naming import GPU_OPERATOR_NAMESPACE, GPU_TOLERATION, MONITORING_NAMESPACE, POOL_LABEL, content_name
from ..plan import Plan
from ..versions import DCGM_EXPORTER
from .release import MAX_UNAVAILABLE, Release, rollout_timeout

#: One series per pod that holds a slice, instead of one pod that is named for all of them (dcgm-exporter#201). All of
#: them carry the whole GPU's values.
VIRTUAL_GPUS: Final = {"name": "KUBERNETES_VIRTUAL_GPUS", "value": "true"}
#: Requests are what the daemons' table counts; the chart's limit of 512 MiB is too near to what eight GPUs take.
RESOURCES: Final[Mapping[str, Any]] = {
    "requests": {"cpu": "100m", "memory": "256Mi"},
    "limits": {"memory": "1Gi"},
}
#: `gpuStack` → where the exporter's pods are and how they are labelled (chart 4.8.2; operator v26.7.0).
PODS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "device-plugin": (MONITORING_NAMESPACE, {"app.kubernetes.io/name": "dcgm-exporter"}),
    "gpu-operator": (GPU_OPERATOR_NAMESPACE, {"app": "nvidia-dcgm-exporter"}),
}


@cache
def counters() -> str:
    """What is read from each GPU, as the exporter's own CSV."""
    return files("gpu_slices.monitoring").joinpath("dcgm_counters.csv").read_text(encoding="utf-8")


def operator_values(*, monitored: bool) -> dict[str, Any]:
    """The operator's `dcgmExporter`. It would make a ServiceMonitor only if the CRD was there first: ours is elsewhere."""
    if not monitored:
        return {"serviceMonitor": {"enabled": False}}
    return {
        "serviceMonitor": {"enabled": False},
        "env": [dict(VIRTUAL_GPUS)],
        "resources": dict(RESOURCES),
        # As with the plugin's config, only another name rolls the exporter.
        "config": {"create": True, "name": content_name("dcgm-counters", counters()), "data": counters()},
    }


def release(plan: Plan) -> Release:
    """The stand-alone chart, on the nodes of the stack's pools and nowhere else."""
    on_pools = [{"matchExpressions": [{"key": POOL_LABEL, "operator": "Exists"}]}]
    values = {
        "affinity": {
            "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": on_pools}}
        },
        "tolerations": [dict(GPU_TOLERATION)],
        "extraEnv": [dict(VIRTUAL_GPUS)],
        "customMetrics": counters(),
        # The chart puts no checksum of the counters on its pods: this rolls them.
        "podAnnotations": {"gpu-slices/counters": content_name("dcgm-counters", counters())},
        "resources": dict(RESOURCES),
        "rollingUpdate": {"maxUnavailable": MAX_UNAVAILABLE},
        # Its CRD comes with a release that is not there yet, and the chart does not look: the install would fail.
        "serviceMonitor": {"enabled": False},
    }
    return Release(
        name="dcgm-exporter",
        pin=DCGM_EXPORTER,
        namespace=MONITORING_NAMESPACE,
        values=pinned_values(DCGM_EXPORTER.chart, values, plan.settings.security.digests),
        timeout_seconds=rollout_timeout(plan.most_gpu_nodes),
    )
