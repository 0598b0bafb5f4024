"""One-slice pods as a plan says a tenant writes them, and the namespace that they run in."""

from __future__ import annotations

from typing import Any, Final

from gpu_slices.namespaces import TOOL_LABEL
from gpu_slices.naming import GPU_TOLERATION, POOL_LABEL
from gpu_slices.pod_security import CONTAINER_SECURITY, pod_security
from gpu_slices.pool_plan import PoolPlan

NAMESPACE: Final = "rehearsal-burst"
APP_LABEL: Final = "gpu-slices.rehearsal/burst"
SELECTOR: Final = APP_LABEL


def namespace() -> dict[str, Any]:
    """The burst's own namespace: no tenant's quota counts there."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted", TOOL_LABEL: "rehearsal"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}


def one_slice_pod(pool: PoolPlan, name: str, *, gated: bool = False, resource: str | None = None) -> dict[str, Any]:
    """A pod with the pool's `podRequests`, selector and toleration; a gated one is counted but never scheduled.

    It asks for the pool's smallest slice unless another `resource` is named.
    """
    container = {
        "name": "main",
        "image": "rehearsal",
        "resources": {
            "requests": {"cpu": pool.pod_requests.cpu, "memory": pool.pod_requests.memory},
            "limits": {resource or pool.resource: "1"},
        },
        "securityContext": dict(CONTAINER_SECURITY),
    }
    spec: dict[str, Any] = {
        "containers": [container],
        "nodeSelector": {POOL_LABEL: pool.name},
        "tolerations": [dict(GPU_TOLERATION)],
        "securityContext": pod_security(pool.run_as_user),
        "terminationGracePeriodSeconds": 0,
    }
    if gated:
        spec["schedulingGates"] = [{"name": APP_LABEL}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {APP_LABEL: pool.name}},
        "spec": spec,
    }
