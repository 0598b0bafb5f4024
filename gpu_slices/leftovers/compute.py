"""EC2: instances, volumes, network interfaces, launch templates, security groups, NAT gateways, addresses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from . import prices
from .kind import Kind, Leftover
from .owner import Owner, tags_of

#: States in which an instance still is something.
_ALIVE: Final = ["pending", "running", "stopping", "stopped"]
#: What an operation calls its filters where it is not `Filters`.
_FILTERS: Final = {"describe_nat_gateways": "Filter"}


def _search(client: Any, operation: str, answer: str, owner: Owner, **filters: list[str]) -> list[Mapping[str, Any]]:
    """What AWS lists under any of the owner's marks, each thing once and looked at again: a filter that an operation
    does not know must not hand out other people's things. `filters` are more filters, with _ for -."""
    argument = _FILTERS.get(operation, "Filters")
    others = [{"Name": name.replace("_", "-"), "Values": values} for name, values in filters.items()]
    found: list[Mapping[str, Any]] = []
    for mark in owner.marks():
        tags = [{"Name": f"tag:{key}", "Values": [value]} for key, value in sorted(mark.items())]
        for page in _pages(client, operation, **{argument: [*tags, *others]}):
            found += [thing for thing in _things(page, answer) if thing not in found and owner.owns(tags_of(thing))]
    return found


def _things(page: Mapping[str, Any], answer: str) -> list[Mapping[str, Any]]:
    """Instances come in the reservations that they were launched in."""
    parts = page.get("Reservations", [page])
    return [thing for part in parts for thing in part[answer]]


def _pages(client: Any, operation: str, **arguments: Any) -> Iterable[Mapping[str, Any]]:
    if client.can_paginate(operation):
        return client.get_paginator(operation).paginate(**arguments)
    return [getattr(client, operation)(**arguments)]


def _instances(client: Any, owner: Owner) -> Iterator[Leftover]:
    for instance in _search(client, "describe_instances", "Instances", owner, instance_state_name=_ALIVE):
        type_, state = instance["InstanceType"], instance["State"]["Name"]
        spot = instance.get("InstanceLifecycle") == "spot"
        yield Leftover(
            kind="instance",
            id=instance["InstanceId"],
            detail=f"{type_}, {state}{', spot' if spot else ''}",
            usd_per_month=prices.instance(type_, state, spot=spot),
        )


def _volumes(client: Any, owner: Owner) -> Iterator[Leftover]:
    for volume in _search(client, "describe_volumes", "Volumes", owner, status=["available"]):
        type_, gib = volume["VolumeType"], volume["Size"]
        yield Leftover(
            kind="volume",
            id=volume["VolumeId"],
            detail=f"{gib} GiB {type_}",
            usd_per_month=prices.volume(type_, gib),
        )


def _interfaces(client: Any, owner: Owner) -> Iterator[Leftover]:
    found = _search(client, "describe_network_interfaces", "NetworkInterfaces", owner, status=["available"])
    for interface in found:
        yield Leftover(
            kind="network interface",
            id=interface["NetworkInterfaceId"],
            detail=f"in {interface['SubnetId']}, which cannot be deleted meanwhile",
            usd_per_month=prices.FREE,
        )


def _templates(client: Any, owner: Owner) -> Iterator[Leftover]:
    for template in _search(client, "describe_launch_templates", "LaunchTemplates", owner):
        yield Leftover(
            kind="launch template",
            id=template["LaunchTemplateId"],
            detail=template["LaunchTemplateName"],
            usd_per_month=prices.FREE,
        )


def _groups(client: Any, owner: Owner) -> Iterator[Leftover]:
    for group in _search(client, "describe_security_groups", "SecurityGroups", owner):
        yield Leftover(
            kind="security group",
            id=group["GroupId"],
            detail=f"{group['GroupName']} in {group.get('VpcId', 'no VPC')}",
            usd_per_month=prices.FREE,
        )


def _nat_gateways(client: Any, owner: Owner) -> Iterator[Leftover]:
    found = _search(client, "describe_nat_gateways", "NatGateways", owner, state=["available", "pending"])
    for gateway in found:
        yield Leftover(
            kind="NAT gateway",
            id=gateway["NatGatewayId"],
            detail=f"in {gateway['VpcId']}",
            usd_per_month=prices.nat_gateway(),
        )


def _addresses(client: Any, owner: Owner) -> Iterator[Leftover]:
    for address in _search(client, "describe_addresses", "Addresses", owner):
        yield Leftover(
            kind="address",
            id=address["AllocationId"],
            detail=address.get("PublicIp", ""),
            usd_per_month=prices.public_address(),
        )


INSTANCES: Final = Kind(
    word="instance",
    service="ec2",
    find=_instances,
    remove=lambda client, id_: client.terminate_instances(InstanceIds=[id_]),
    waiter="instance_terminated",
    waits_for="InstanceIds",
)
NAT_GATEWAYS: Final = Kind(
    word="NAT gateway",
    service="ec2",
    find=_nat_gateways,
    remove=lambda client, id_: client.delete_nat_gateway(NatGatewayId=id_),
    waiter="nat_gateway_deleted",
    waits_for="NatGatewayIds",
)
VOLUMES: Final = Kind(
    word="volume",
    service="ec2",
    find=_volumes,
    remove=lambda client, id_: client.delete_volume(VolumeId=id_),
)
INTERFACES: Final = Kind(
    word="network interface",
    service="ec2",
    find=_interfaces,
    remove=lambda client, id_: client.delete_network_interface(NetworkInterfaceId=id_),
)
ADDRESSES: Final = Kind(
    word="address",
    service="ec2",
    find=_addresses,
    remove=lambda client, id_: client.release_address(AllocationId=id_),
)
TEMPLATES: Final = Kind(
    word="launch template",
    service="ec2",
    find=_templates,
    remove=lambda client, id_: client.delete_launch_template(LaunchTemplateId=id_),
)
GROUPS: Final = Kind(
    word="security group",
    service="ec2",
    find=_groups,
    remove=lambda client, id_: client.delete_security_group(GroupId=id_),
)
