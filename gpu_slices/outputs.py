"""What a stack tells about its pools: the numbers, and a pod that takes one slice; and what its tenants need to begin."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import yaml

from .naming import GPU_TOLERATION, POOL_LABEL
from .plan import Plan
from .pod_security import CONTAINER_SECURITY, pod_security
from .pool_plan import NodeShape, PoolPlan, Slices


def pool_outputs(plan: Plan) -> dict[str, dict[str, Any]]:
    """Pool name → what its nodes show and a slice costs. Memory in MiB, prices in USD, None where unknown."""
    return {pool.name: _pool(pool) for pool in plan.pools}


def tenant_outputs(plan: Plan) -> dict[str, dict[str, Any]]:
    """Tenant → its pools and quota, and what one of its principals types to work in its namespace."""
    cluster, region = plan.settings.cluster.name, plan.settings.region
    return {
        tenant.name: {
            "pools": list(tenant.pools),
            "quota": dict(tenant.quota),
            "group": tenant.group,
            "priorityClass": tenant.priority_class,
            "kubeconfigCommand": f"aws eks update-kubeconfig --region {region} --name {cluster} --alias {tenant.name} && "
            f"kubectl config set-context {tenant.name} --namespace {tenant.name}",
        }
        for tenant in plan.tenants
    }


def pod_snippet(pool: PoolPlan) -> str:
    """A pod that takes one slice of the pool, as YAML: selector and toleration are what newcomers forget.

    A tenant's namespace, which is `restricted`, admits it. Of several kinds of slice it takes the smallest, and names
    the others in a comment.
    """
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"one-slice-of-{pool.name}"},
        "spec": {
            "nodeSelector": {POOL_LABEL: pool.name},
            "tolerations": [dict(GPU_TOLERATION)],
            "securityContext": pod_security(pool.run_as_user),
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
    others = "".join(f"# or {resource}: 1\n" for resource in pool.resources[1:])
    return yaml.safe_dump(pod, sort_keys=False) + others


def _pool(pool: PoolPlan) -> dict[str, Any]:
    return {
        "strategy": pool.strategy,
        "replicas": pool.replicas,
        "resources": list(pool.resources),
        "onSliceEdit": pool.on_slice_edit.effect,
        "nodes": {shape.instance.name: _shape(shape) for shape in pool.shapes},
        "podSnippet": pod_snippet(pool),
    }


def _shape(shape: NodeShape) -> dict[str, Any]:
    return {one.resource: _slices(one) for one in shape.slices}


def _slices(one: Slices) -> dict[str, Any]:
    return {
        "slices": one.count,
        "usableSlices": one.bounds.usable,
        "gpuMemoryMiBPerSlice": one.gpu_memory_mib,
        "usdPerSliceHour": one.usd_per_hour,
    }
