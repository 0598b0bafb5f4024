"""What nodes and their disks cost a month, with what the stack assumes about spot and commitments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..node_pools import GpuNodePoolPlan
from ..quantities import mebibytes, millicores
from ..settings import Settings
from .prices import HOURS_PER_MONTH, Price, gpu_node_price, service_price

if TYPE_CHECKING:
    from ..pool_plan import PoolPlan

#: gp3 throughput in MiB/s that comes with every volume.
_FREE_THROUGHPUT: Final = 125


@dataclass(frozen=True, kw_only=True)
class NodeMonths:
    """USD a month of a group of nodes, None where the price is not known."""

    configured: float | None
    limit: float | None
    basis: str


def node_months(settings: Settings, price: Price, *, desired: int, most: int, spot: bool) -> NodeMonths:
    """`desired` nodes all month, and `most` at the limit. A commitment covers `desired` on-demand nodes only."""
    if price.usd is None:
        return NodeMonths(configured=None, limit=None, basis=price.basis)
    month = price.usd * HOURS_PER_MONTH
    commitment = settings.prices.commitment
    if spot:
        month, basis = _as_spot(settings, month, price.basis)
        return NodeMonths(configured=desired * month, limit=most * month, basis=basis)
    if commitment is None:
        return NodeMonths(configured=desired * month, limit=most * month, basis=price.basis)
    committed = desired * month * (1 - commitment.discount_percent / 100)
    basis = f"{price.basis}, {commitment.years}-year commitment −{commitment.discount_percent} % (assumed)"
    return NodeMonths(configured=committed, limit=committed + (most - desired) * month, basis=basis)


def disk_month(settings: Settings, gib: int, throughput: int) -> float:
    """USD a month of one gp3 root volume: GiB, and MiB/s above those that are free."""
    storage = service_price(settings, "gp3-gib-month").usd or 0
    faster = service_price(settings, "gp3-mibps-month").usd or 0
    return gib * storage + max(0, throughput - _FREE_THROUGHPUT) * faster


def node_pool_limit_month(settings: Settings, pool: PoolPlan) -> tuple[float | None, str]:
    """Most that Karpenter's nodes of a pool can cost a month, and the basis of the price.

    An upper bound: no mix of the pool's types within its limits costs more. Raises ValueError for a node group.
    """
    if pool.launched is None:
        raise ValueError(f"{pool.name} is a node group")
    prices = {shape.instance.name: gpu_node_price(settings, shape.instance) for shape in pool.shapes}
    if any(price.usd is None for price in prices.values()):
        return None, "not known"
    disk = disk_month(settings, pool.launched.disk_gib, pool.launched.disk_throughput)
    hourly = sum(_most_hourly(pool, one, prices) for one in pool.node_pools)
    month, bases = hourly * HOURS_PER_MONTH, sorted({price.basis for price in prices.values()})
    basis = " or ".join(bases)
    if pool.launched.capacity == ("spot",):
        month, basis = _as_spot(settings, month, basis)
    return month + pool.most_nodes * disk, basis


def _as_spot(settings: Settings, month: float, basis: str) -> tuple[float, str]:
    discount = settings.prices.spot_discount_percent
    if discount is None:
        return month, f"{basis}, spot counted as on demand"
    return month * (1 - discount / 100), f"{basis}, spot −{discount} % (assumed)"


def _most_hourly(pool: PoolPlan, one: GpuNodePoolPlan, prices: dict[str, Price]) -> float:
    """Each limit alone bounds the price: nodes × the dearest, CPU × the dearest per CPU, memory likewise."""
    shapes = [shape.instance for shape in pool.shapes if shape.instance.name in one.instance_types]
    usd = [prices[instance.name].usd or 0 for instance in shapes]
    bounds = [one.most_nodes * max(usd)]
    if cpu := one.limits.get("cpu"):
        bounds.append(_dearest(usd, [i.vcpu * 1000 for i in shapes]) * millicores(cpu))
    if memory := one.limits.get("memory"):
        bounds.append(_dearest(usd, [i.memory_mib for i in shapes]) * mebibytes(memory))
    return min(bounds)


def _dearest(usd: Sequence[float], amounts: Sequence[int]) -> float:
    return max(price / amount for price, amount in zip(usd, amounts, strict=True))
