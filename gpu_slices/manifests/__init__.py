"""The Kubernetes objects of a stack as plain dictionaries, exactly as they are applied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..cloud_refs import CloudRefs
from ..plan import Plan
from .admission import admission_objects
from .benchmark import benchmark_objects
from .gpu_stack import gpu_stack_objects
from .karpenter import general_pool_objects, gpu_pool_objects
from .monitoring import monitoring_objects
from .storage import storage_objects
from .tenants import tenant_objects
from .workloads import workload_objects

Manifest = Mapping[str, Any]


def objects(plan: Plan, refs: CloudRefs) -> list[Manifest]:
    """Every Kubernetes object that the program applies itself (Helm releases apart), in the order it is applied."""
    return [
        *admission_objects(plan.admission),
        *gpu_stack_objects(plan),
        *storage_objects(plan),
        *(manifest for name in sorted(plan.settings.node_pools) for manifest in general_pool_objects(plan, name, refs)),
        *(manifest for pool in plan.pools if pool.launched for manifest in gpu_pool_objects(plan, pool, refs)),
        *(manifest for tenant in plan.tenants for manifest in tenant_objects(tenant)),
        *monitoring_objects(plan),
        *workload_objects(plan),
        *benchmark_objects(plan),
    ]
