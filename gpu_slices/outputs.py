"""What a stack tells about its pools: the numbers, and a pod that takes one slice."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import yaml

from .naming import GPU_TOLERATION, POOL_LABEL
from .plan import Plan
from .pod_security import CONTAINER_SECURITY, POD_SECURITY
from .pool_plan import NodeShape, PoolPlan


def pool_outputs(plan: Plan) -> dict[str, dict[str, Any]]:
    """Pool name → what its nodes show and a slice costs. Memory in MiB, prices in USD, None where unknown."""
    return {pool.name: _pool(pool) for pool in plan.pools}


def pod_snippet(pool: PoolPlan) -> str:
    """A pod that takes one slice of the pool, as YAML: selector and toleration are what newcomers forget.

    A tenant's namespace, which is `restricted`, admits it.
    """
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"one-slice-of-{pool.name}"},
        "spec": {
            "nodeSelector": {POOL_LABEL: pool.name},
            "tolerations": [dict(GPU_TOLERATION)],
            "securityContext": deepcopy(dict(POD_SECURITY)),
            "containers": [
                {
                    "name": "main",
                    "image": "YOUR-IMAGE",
                    "resources": {
                        "requests": {"cpu": pool.pod_requests.cpu, "memory": pool.pod_requests.memory},
                        "limits": {pool.resource: 1},
                    },
                    "securityContext": deepcopy(dict(CONTAINER_SECURITY)),
                }
            ],
        },
    }
    return yaml.safe_dump(pod, sort_keys=False)


def _pool(pool: PoolPlan) -> dict[str, Any]:
    return {
        "strategy": pool.strategy,
        "replicas": pool.replicas,
        "resource": pool.resource,
        "onSliceEdit": pool.on_slice_edit.effect,
        "nodes": {shape.instance.name: _shape(shape) for shape in pool.shapes},
        "podSnippet": pod_snippet(pool),
    }


def _shape(shape: NodeShape) -> dict[str, Any]:
    return {
        "advertised": dict(shape.advertised),
        "usableSlices": shape.bounds.usable,
        "gpuMemoryMiBPerSlice": shape.gpu_memory_mib_per_slice,
        "usdPerSliceHour": shape.usd_per_slice_hour,
    }
