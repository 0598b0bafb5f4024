"""What the rules for pods on GPU nodes follow from: which resources are GPUs, which pools are shared, who is exempt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .namespaces import PLATFORM_NAMESPACES
from .naming import GPU_RESOURCE
from .pool_plan import PoolPlan
from .settings import Settings
from .settings.effective import enforcement_of
from .settings.tenants import Enforcement
from .tenant_plan import gpu_resources


@dataclass(frozen=True, kw_only=True)
class AdmissionPlan:
    """`single` pools and resources are those of which a container may take one slice only.

    A resource is single where every pool that advertises it is. Plain `nvidia.com/gpu` never is, since nodes without a
    config show whole GPUs by that name: there a pod is held to it only when it selects a single pool.
    """

    enforcement: Enforcement
    platform_namespaces: tuple[str, ...]
    tenants: tuple[str, ...]
    #: The benchmark's namespace, where the stack has one.
    benchmark: tuple[str, ...]
    resources: tuple[str, ...]
    single_pools: tuple[str, ...]
    single_resources: tuple[str, ...]
    #: MPS pool → the user id that its pods must have.
    users: Mapping[str, int]

    @property
    def gpu_namespaces(self) -> tuple[str, ...]:
        """Where pods may ask for GPUs, beside the platform's namespaces and those of tools."""
        return tuple(sorted({*self.tenants, *self.benchmark}))


def plan_admission(settings: Settings, pools: Sequence[PoolPlan]) -> AdmissionPlan:
    """The rules' facts for a stack."""
    single = [pool for pool in pools if _takes_one(pool)]
    several = {GPU_RESOURCE, *(name for pool in pools if not _takes_one(pool) for name in gpu_resources([pool]))}
    return AdmissionPlan(
        enforcement=enforcement_of(settings),
        platform_namespaces=tuple(sorted({*PLATFORM_NAMESPACES, *settings.admission.platform_namespaces})),
        tenants=tuple(sorted(settings.tenants)),
        benchmark=(settings.benchmark.namespace,) if settings.benchmark else (),
        resources=gpu_resources(pools),
        single_pools=tuple(pool.name for pool in single),
        single_resources=tuple(resource for resource in gpu_resources(single) if resource not in several),
        users={pool.name: pool.run_as_user for pool in pools if pool.run_as_user is not None},
    )


def _takes_one(pool: PoolPlan) -> bool:
    return pool.replicas > 1 and pool.sharing.fail_requests_greater_than_one
