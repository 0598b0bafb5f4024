"""The tenant's quota, held to its word: as many slices as it grants, and not one more."""

from __future__ import annotations

from dataclasses import dataclass

from gpu_slices.manifests.tenants import QUOTA_NAME
from gpu_slices.plan import Plan, TenantPlan
from gpu_slices.pool_plan import PoolPlan
from rehearsal.cluster.errors import ApiError
from rehearsal.cluster.http_api import Api
from rehearsal.rehearse.pods import SELECTOR, one_slice_pod


@dataclass(frozen=True, kw_only=True)
class QuotaCheck:
    """One tenant: slices granted, used before by its workloads, let through now; the API server's words at the next."""

    tenant: str
    granted: int
    used: int
    let_through: int
    refusal: str

    @property
    def kept(self) -> bool:
        """Whether exactly the granted slices came through."""
        return self.used + self.let_through == self.granted and "exceeded quota" in self.refusal


def tenant_of(plan: Plan, pool: PoolPlan) -> TenantPlan | None:
    """The first tenant that may use the pool."""
    return next((tenant for tenant in plan.tenants if pool.name in tenant.pools), None)


def check_quota(api: Api, tenant: TenantPlan, pool: PoolPlan) -> QuotaCheck:
    """Asks for one slice more than granted, in the tenant's namespace.

    The pods are gated: the quota counts them, the scheduler and Karpenter leave them alone.
    """
    path = f"/api/v1/namespaces/{tenant.name}/pods"
    used = _used(api, tenant, pool)
    through, refusal = 0, ""
    try:
        for index in range(tenant.slices + 1):
            api.create(path, one_slice_pod(pool, f"quota-{index}", gated=True))
            through += 1
    except ApiError as error:
        refusal = " ".join(error.message.split())
    finally:
        api.delete(path, labelSelector=SELECTOR, gracePeriodSeconds="0")
    return QuotaCheck(tenant=tenant.name, granted=tenant.slices, used=used, let_through=through, refusal=refusal)


def _used(api: Api, tenant: TenantPlan, pool: PoolPlan) -> int:
    quota = api.get(f"/api/v1/namespaces/{tenant.name}/resourcequotas/{QUOTA_NAME}")
    return int((quota.get("status") or {}).get("used", {}).get(f"requests.{pool.resource}", "0"))
