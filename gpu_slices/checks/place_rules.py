"""Where nodes can be: zones that exist and that EKS takes, instance types that are offered there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ..settings.cluster import NewNetwork
from ..settings.effective import system_nodes_of
from .aws_account import AwsAccount
from .table import Cause, Check, Finding

#: Zones in which EKS cannot place a control plane (EKS user guide, network requirements). Ids, the same for everybody.
REFUSED_ZONES: Final = frozenset({"use1-az3", "usw1-az2", "cac1-az3"})

ZONES: Final = Check(
    name="zones",
    symptom="the cluster cannot be created: UnsupportedAvailabilityZoneException, or a subnet's zone does not exist",
    looks_at="the zones of the stack's subnets, by name and by the id behind it, which differs from account to account",
    judged="each exists, is available, and is none of those that EKS control planes refuse",
    causes=(
        Cause(
            name="zone-unknown",
            text="this account has no such zone in this region",
            remedy="write zones of {zones} under network.zones",
        ),
        Cause(
            name="zone-refused",
            text="EKS places no control plane in this zone",
            remedy="write others of {zones} under network.zones, or name subnets elsewhere",
        ),
    ),
)

OFFERS: Final = Check(
    name="instance-types",
    symptom="a node group fails with: not supported in your requested Availability Zone; or Karpenter finds no offering",
    looks_at="which zones of the region offer the instance types of each pool (an offer is no promise of capacity)",
    judged="every type is offered in a zone that the pool's nodes can be in",
    causes=(
        Cause(
            name="not-offered",
            text="no zone of this network offers the instance type",
            remedy="take zones that do under network.zones: {where}",
        ),
        Cause(
            name="offered-nowhere",
            text="no zone of this region offers the instance type: it is retired, or not here yet",
            remedy="name another under {path}; aws ec2 describe-instance-type-offerings --region {region} lists them",
        ),
        Cause(
            name="not-everywhere",
            text="some zones of this network do not offer it: those left have less capacity",
            remedy="take zones that all do ({where}) under network.zones, or leave it so",
        ),
        Cause(
            name="some-types-missing",
            text="some of the pool's types are offered nowhere here: Karpenter chooses among the others",
            remedy="leave them out of {path}, or leave it so",
        ),
    ),
)


def zones(account: AwsAccount) -> Iterator[Finding]:
    """The network's zones beside the account's."""
    usable = ", ".join(
        sorted(zone.name for zone in account.zones.values() if zone.usable and zone.id not in REFUSED_ZONES)
    )
    for name in _network_zones(account):
        zone = account.zones.get(name)
        if zone is None or not zone.usable:
            yield ZONES.failed(name, "is not available here", "zone-unknown", zones=usable)
        elif zone.id in REFUSED_ZONES:
            yield ZONES.failed(name, f"is {zone.id}", "zone-refused", zones=usable)
        else:
            yield ZONES.passed(name, f"is {zone.id}")


def _network_zones(account: AwsAccount) -> tuple[str, ...]:
    if isinstance(account.plan.settings.network, NewNetwork):
        return account.plan.zones
    return tuple(sorted({subnet.zone for subnet in account.subnets.values()}))


def instance_types(account: AwsAccount) -> Iterator[Finding]:
    """System nodes and pools beside what is offered in their zones."""
    plan, here = account.plan, account.node_zones
    region = plan.settings.region
    if system := system_nodes_of(plan.settings):
        yield judge_offer("systemNodes", (system.instance_type,), here, account.offered, region)
    for pool in plan.pools:
        if pool.existing:
            continue
        places = pool.launched.zones if pool.launched and pool.launched.zones else here
        yield judge_offer(pool.path, pool.instance_types, places, account.offered, region)


def judge_offer(
    path: str,
    types: tuple[str, ...],
    zones_of_pool: tuple[str, ...],
    offered: Mapping[str, frozenset[str]],
    region: str,
) -> Finding:
    """One pool: its types, the zones its nodes can be in, and type → zones that offer it."""
    places = frozenset(zones_of_pool)
    missing = [name for name in types if not offered.get(name, frozenset()) & places]
    anywhere = sorted(frozenset().union(*(offered.get(name, frozenset()) for name in types)))
    details = {"where": ", ".join(anywhere), "region": region, "path": path}
    if len(missing) == len(types):
        cause = "not-offered" if anywhere else "offered-nowhere"
        return OFFERS.failed(path, f"{', '.join(missing)} not in {', '.join(sorted(places))}", cause, **details)
    if missing:
        return OFFERS.warned(path, f"not offered: {', '.join(missing)}", "some-types-missing", **details)
    partly = [name for name in types if places - offered[name]]
    if len(partly) == len(types):
        seen = "; ".join(f"{name} only in {', '.join(sorted(offered[name] & places))}" for name in partly)
        return OFFERS.warned(path, seen, "not-everywhere", **details)
    return OFFERS.passed(path, f"{', '.join(types)} in {', '.join(sorted(places))}")
