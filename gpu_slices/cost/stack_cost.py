"""What a stack costs a month: one line per thing, at the size it is configured for and at its limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..settings.cluster import Cluster, NewNetwork
from ..settings.effective import system_nodes_of
from .node_cost import disk_month, node_months, node_pool_limit_month
from .prices import HOURS_PER_MONTH, Price, gpu_node_price, instance_price, service_price

if TYPE_CHECKING:
    from ..plan import Plan

#: What no line holds, because only usage tells it.
_USAGE: Final = (
    "control-plane logs",
    "data transfer",
    "load balancers",
    "snapshots",
    "support for old versions of EKS",
)


@dataclass(frozen=True, kw_only=True)
class CostLine:
    """One thing: USD a month as configured and at the limit, None where a price is not known.

    `path` is the key that decides it, empty for what every stack has.
    """

    what: str
    path: str
    configured: float | None
    limit: float | None
    basis: str


@dataclass(frozen=True, kw_only=True)
class StackCost:
    """All lines of a stack, and what they leave out."""

    price_region: str
    lines: tuple[CostLine, ...]
    not_included: tuple[str, ...]

    @property
    def configured(self) -> float:
        """USD a month as configured, of what is known."""
        return sum(line.configured or 0 for line in self.lines)

    @property
    def limit(self) -> float:
        """USD a month when everything is at its limit, of what is known."""
        return sum(line.limit or 0 for line in self.lines)

    @property
    def unknown(self) -> tuple[str, ...]:
        """What has no price here."""
        return tuple(line.what for line in self.lines if line.configured is None or line.limit is None)

    def of(self, path: str) -> CostLine:
        """The line of a pool. Raises StopIteration for a path that has none."""
        return next(line for line in self.lines if line.path == path)


def stack_cost(plan: Plan) -> StackCost:
    """USD a month of 730 hours."""
    lines = (*_control_plane(plan), *_network(plan), *_system_nodes(plan), *_gpu_pools(plan))
    general = [f"general NodePool {name} (any of many types)" for name in sorted(plan.settings.node_pools)]
    there = [
        f"{pool.name}, {pool.existing.nodes} × {pool.existing.instance_type} (there before the stack)"
        for pool in plan.pools
        if pool.existing
    ]
    nat = [] if plan.settings.prices.nat_gb_per_month else _nat_data(plan)
    return StackCost(
        price_region=plan.price_region,
        lines=lines,
        not_included=tuple(sorted([*general, *there, *nat, *_USAGE], key=str.lower)),
    )


def line_pairs(old: StackCost | None, new: StackCost | None) -> Iterator[tuple[CostLine | None, CostLine | None]]:
    """The lines of two costs side by side, matched by what decides them; at least one of the two is there."""
    before, after = (_by_key(cost) for cost in (old, new))
    for key in [*after, *(key for key in before if key not in after)]:
        yield before.get(key), after.get(key)


def _by_key(cost: StackCost | None) -> dict[tuple[str, int], CostLine]:
    """Lines by their path and, where a path has several, their place."""
    found: dict[tuple[str, int], CostLine] = {}
    for line in cost.lines if cost else ():
        found[line.path, sum(path == line.path for path, _ in found)] = line
    return found


def _control_plane(plan: Plan) -> Iterator[CostLine]:
    if not isinstance(plan.settings.cluster, Cluster):
        return
    yield _fixed("EKS control plane", "cluster", service_price(plan.settings, "eks-cluster-hour"), HOURS_PER_MONTH)
    if plan.settings.cluster.encryption.kms_key_arn is None:
        yield _fixed("KMS key", "cluster.encryption", service_price(plan.settings, "kms-key-month"), 1)


def _network(plan: Plan) -> Iterator[CostLine]:
    network = plan.settings.network
    if not isinstance(network, NewNetwork):
        return
    count = len(plan.zones) if network.nat == "per-zone" else 1
    hours = count * HOURS_PER_MONTH
    what = "NAT gateway" if count == 1 else f"{count} NAT gateways"
    gateway, address = (
        service_price(plan.settings, "nat-gateway-hour"),
        service_price(plan.settings, "public-ipv4-hour"),
    )
    yield _fixed(what, "network.nat", gateway, hours)
    yield _fixed(f"public address of the {what}", "network.nat", address, hours)
    if gigabytes := plan.settings.prices.nat_gb_per_month:
        price = service_price(plan.settings, "nat-gateway-gb")
        yield _fixed(f"{gigabytes:,} GB through NAT (assumed)", "prices.natGbPerMonth", price, gigabytes)


def _nat_data(plan: Plan) -> list[str]:
    if not isinstance(plan.settings.network, NewNetwork):
        return []
    return [f"data through NAT (${service_price(plan.settings, 'nat-gateway-gb').usd:g} per GB)"]


def _fixed(what: str, path: str, price: Price, units: float) -> CostLine:
    month = None if price.usd is None else price.usd * units
    return CostLine(what=what, path=path, configured=month, limit=month, basis=price.basis)


def _system_nodes(plan: Plan) -> Iterator[CostLine]:
    nodes, settings = system_nodes_of(plan.settings), plan.settings
    if nodes is None:
        return
    price = instance_price(settings, nodes.instance_type)
    months = node_months(settings, price, desired=nodes.desired, most=nodes.max, spot=False)
    disk = disk_month(settings, nodes.disk_gib, throughput=0)
    yield CostLine(
        what=f"system nodes, {nodes.desired} × {nodes.instance_type}",
        path="systemNodes",
        configured=_plus(months.configured, nodes.desired * disk),
        limit=_plus(months.limit, nodes.max * disk),
        basis=months.basis,
    )


def _gpu_pools(plan: Plan) -> Iterator[CostLine]:
    for pool in plan.pools:
        if (group := pool.node_group) is not None:
            price = gpu_node_price(plan.settings, pool.shapes[0].instance)
            months = node_months(
                plan.settings, price, desired=group.desired, most=group.max, spot=group.capacity == "spot"
            )
            disk = disk_month(plan.settings, group.disk_gib, group.disk_throughput)
            yield CostLine(
                what=f"{pool.name}, {group.desired} × {group.instance_type}",
                path=pool.path,
                configured=_plus(months.configured, group.desired * disk),
                limit=_plus(months.limit, group.max * disk),
                basis=months.basis,
            )
        elif pool.launched:
            month, basis = node_pool_limit_month(plan.settings, pool)
            yield CostLine(
                what=f"{pool.name}, 0 to {pool.most_nodes} nodes",
                path=pool.path,
                configured=0.0,
                limit=month,
                basis=basis,
            )


def _plus(month: float | None, more: float) -> float | None:
    return None if month is None else month + more
