"""Load balancers of both generations, and log groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from . import prices
from .kind import Kind, Leftover
from .owner import Owner, tags_of

#: Elastic Load Balancing tells the tags of at most so many load balancers at once.
_AT_ONCE: Final = 20


def _balancers(client: Any, owner: Owner) -> Iterator[Leftover]:
    pages = client.get_paginator("describe_load_balancers").paginate()
    every = {one["LoadBalancerArn"]: one for page in pages for one in page["LoadBalancers"]}
    for arns in _chunks(list(every)):
        for told in client.describe_tags(ResourceArns=arns)["TagDescriptions"]:
            balancer = every[told["ResourceArn"]]
            if owner.owns(tags_of(told)):
                yield _balancer(told["ResourceArn"], balancer["Type"], balancer["DNSName"])


def _classic_balancers(client: Any, owner: Owner) -> Iterator[Leftover]:
    pages = client.get_paginator("describe_load_balancers").paginate()
    every = {one["LoadBalancerName"]: one for page in pages for one in page["LoadBalancerDescriptions"]}
    for names in _chunks(list(every)):
        for told in client.describe_tags(LoadBalancerNames=names)["TagDescriptions"]:
            if owner.owns(tags_of(told)):
                name = told["LoadBalancerName"]
                yield _balancer(name, "classic", every[name]["DNSName"])


def _balancer(id_: str, type_: str, address: str) -> Leftover:
    kind = _CLASSIC if type_ == "classic" else _MODERN
    return Leftover(kind=kind, id=id_, detail=f"{type_}, {address}", usd_per_month=prices.load_balancer(type_))


def _log_groups(client: Any, owner: Owner) -> Iterator[Leftover]:
    pages = client.get_paginator("describe_log_groups")
    for start in owner.log_groups():
        for page in pages.paginate(logGroupNamePrefix=start):
            yield from map(_log_group, page["logGroups"])


def _log_group(group: Mapping[str, Any]) -> Leftover:
    mib, days = group.get("storedBytes", 0) / 1024**2, group.get("retentionInDays")
    kept = f"kept for {days} days" if days else "kept for ever"
    return Leftover(
        kind="log group",
        id=group["logGroupName"],
        detail=f"{mib:.1f} MiB, {kept}",
        usd_per_month=prices.log_storage(mib),
    )


def _chunks(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), _AT_ONCE):
        yield names[start : start + _AT_ONCE]


_MODERN: Final = "load balancer"
_CLASSIC: Final = "classic load balancer"

BALANCERS: Final = Kind(
    word=_MODERN,
    service="elbv2",
    find=_balancers,
    remove=lambda client, id_: client.delete_load_balancer(LoadBalancerArn=id_),
    waiter="load_balancers_deleted",
    waits_for="LoadBalancerArns",
)
CLASSIC_BALANCERS: Final = Kind(
    word=_CLASSIC,
    service="elb",
    find=_classic_balancers,
    remove=lambda client, id_: client.delete_load_balancer(LoadBalancerName=id_),
)
LOG_GROUPS: Final = Kind(
    word="log group",
    service="logs",
    find=_log_groups,
    remove=lambda client, id_: client.delete_log_group(logGroupName=id_),
)
