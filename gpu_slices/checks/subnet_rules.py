"""An existing network: its subnets are there, have a way out, room for nodes and pods, and the tags that services read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from ..plan import Plan
from ..settings.cluster import ExistingNetwork
from ..settings.effective import system_nodes_of
from .aws_account import AwsAccount, Subnet, pages
from .table import Cause, Check, Finding

#: EKS needs six free addresses in each subnet of the cluster and recommends sixteen (EKS user guide).
_LEAST_ADDRESSES: Final = 6
#: Pods of a node without a GPU (t3.large); GPU types carry their own number in the catalogue.
_SYSTEM_PODS: Final = 35
_PRIVATE_TAG: Final = "kubernetes.io/role/internal-elb"
_PUBLIC_TAG: Final = "kubernetes.io/role/elb"

SUBNETS: Final = Check(
    name="subnets",
    symptom="the cluster cannot be created: InvalidSubnetID.NotFound, or subnets of different networks",
    looks_at="the subnets that network.privateSubnetIds and publicSubnetIds name",
    judged="they exist, belong to network.vpcId, and the private ones are in two zones at least",
    causes=(
        Cause(
            name="subnet-not-found",
            text="this account has no such subnet in this region",
            remedy="aws ec2 describe-subnets --filters Name=vpc-id,Values={vpc} --region {region} lists those there are",
        ),
        Cause(
            name="subnet-elsewhere",
            text="the subnet belongs to another VPC",
            remedy="name subnets of {vpc}, or the VPC of these under network.vpcId",
        ),
        Cause(
            name="one-zone",
            text="EKS needs subnets in two zones",
            remedy="name a private subnet in a second zone under network.privateSubnetIds",
        ),
    ),
)

WAY_OUT: Final = Check(
    name="way-out",
    symptom="nodes start and never join: they reach neither EKS nor the registries of the images",
    looks_at="the default route of each subnet, in its own route table or the VPC's main one",
    judged="private subnets lead to a NAT or transit gateway, public ones to an internet gateway",
    causes=(
        Cause(
            name="no-way-out",
            text="nodes in this subnet cannot reach the Internet",
            remedy="give its route table 0.0.0.0/0 to a NAT gateway: aws ec2 create-route --route-table-id {table} "
            "--destination-cidr-block 0.0.0.0/0 --nat-gateway-id nat-...",
        ),
        Cause(
            name="public-nodes",
            text="the subnet is public: nodes in it get addresses that the Internet can reach",
            remedy="name private subnets under network.privateSubnetIds",
        ),
        Cause(
            name="not-public",
            text="a public subnet without an internet gateway serves no load balancer",
            remedy="aws ec2 create-route --route-table-id {table} --destination-cidr-block 0.0.0.0/0 --gateway-id igw-...",
        ),
    ),
)

ROOM: Final = Check(
    name="free-addresses",
    symptom="pods stay in ContainerCreating: failed to assign an IP address to container",
    looks_at="free addresses of the private subnets beside the nodes and pods that the stack may have",
    judged="each subnet has what EKS itself needs; a warning where all together do not hold the stack at its limits",
    causes=(
        Cause(
            name="subnet-full",
            text=f"EKS needs {_LEAST_ADDRESSES} free addresses in every subnet of the cluster",
            remedy="name a larger subnet than {subnet} under network.privateSubnetIds",
        ),
        Cause(
            name="few-addresses",
            text="every pod takes an address: the last nodes will have none for theirs",
            remedy="name more or larger private subnets, or lower the limits of the pools",
        ),
    ),
)

DNS: Final = Check(
    name="vpc-dns",
    symptom="nodes never join although routes are right: they cannot resolve the cluster's private endpoint",
    looks_at="enableDnsSupport and enableDnsHostnames of the VPC",
    judged="both are on",
    causes=(
        Cause(
            name="dns-off",
            text="the VPC does not resolve the names of its private endpoints",
            remedy="aws ec2 modify-vpc-attribute --vpc-id {vpc} --{option} --region {region}",
        ),
        Cause(
            name="vpc-not-found",
            text="this account has no such VPC in this region",
            remedy="aws ec2 describe-vpcs --region {region} lists those there are; correct network.vpcId",
        ),
    ),
)

TAGS: Final = Check(
    name="load-balancer-tags",
    symptom="a Service of type LoadBalancer stays pending: no suitable subnets found",
    looks_at=f"the tags {_PRIVATE_TAG} on private and {_PUBLIC_TAG} on public subnets, which nothing here sets for you",
    judged="they are 1; a warning otherwise, since the platform itself needs no load balancer",
    causes=(
        Cause(
            name="tag-missing",
            text="load balancers will not find this subnet",
            remedy="aws ec2 create-tags --resources {subnet} --tags Key={tag},Value=1 --region {region}",
        ),
    ),
)


def subnets(account: AwsAccount) -> Iterator[Finding]:
    """Nothing to say of a new network; so below."""
    network, region = account.plan.settings.network, account.plan.settings.region
    if not isinstance(network, ExistingNetwork):
        return
    for name in [*network.private_subnet_ids, *network.public_subnet_ids]:
        found = account.subnets.get(name)
        if found is None:
            yield SUBNETS.failed(name, "is not there", "subnet-not-found", vpc=network.vpc_id, region=region)
        elif found.vpc_id != network.vpc_id:
            yield SUBNETS.failed(name, f"is in {found.vpc_id}", "subnet-elsewhere", vpc=network.vpc_id)
        else:
            yield SUBNETS.passed(name, f"in {found.zone}, {found.free_addresses} addresses free")
    if len(account.node_zones) == 1:
        yield SUBNETS.failed("network.privateSubnetIds", f"all in {account.node_zones[0]}", "one-zone")


def ways_out(account: AwsAccount) -> Iterator[Finding]:
    """The default route of every subnet."""
    network = account.plan.settings.network
    if not isinstance(network, ExistingNetwork):
        return
    filters = [{"Name": "vpc-id", "Values": [network.vpc_id]}]
    tables = pages(account.client("ec2"), "describe_route_tables", "RouteTables", Filters=filters)
    for subnet in _known(account, network.private_subnet_ids):
        yield _private_way_out(subnet, _table_of(subnet.id, tables))
    for subnet in _known(account, network.public_subnet_ids):
        table = _table_of(subnet.id, tables)
        target = _default_route(table)
        if target.startswith("igw-"):
            yield WAY_OUT.passed(subnet.id, f"to {target}")
        else:
            yield WAY_OUT.failed(subnet.id, _led(target), "not-public", table=_id(table))


def free_addresses(account: AwsAccount) -> Iterator[Finding]:
    """Room in the private subnets."""
    network = account.plan.settings.network
    if not isinstance(network, ExistingNetwork):
        return
    own = _known(account, network.private_subnet_ids)
    for subnet in own:
        if subnet.free_addresses < _LEAST_ADDRESSES:
            yield ROOM.failed(subnet.id, f"{subnet.free_addresses} free", "subnet-full", subnet=subnet.id)
    free, most = sum(subnet.free_addresses for subnet in own), most_addresses(account.plan)
    seen = f"{free} free, {most} at the limits of the pools"
    if free < most:
        yield ROOM.warned("private subnets", seen, "few-addresses")
    else:
        yield ROOM.passed("private subnets", seen)


def most_addresses(plan: Plan) -> int:
    """Addresses of all nodes that the stack may add (general NodePools apart), each full of pods."""
    system = system_nodes_of(plan.settings)
    total = system.max * (_SYSTEM_PODS + 1) if system else 0
    for pool in plan.pools:
        if pool.existing:
            continue
        total += pool.most_nodes * (max(shape.instance.pods for shape in pool.shapes) + 1)
    return total


def vpc_dns(account: AwsAccount) -> Iterator[Finding]:
    """Both switches of the VPC."""
    network, region = account.plan.settings.network, account.plan.settings.region
    if not isinstance(network, ExistingNetwork):
        return
    for attribute, option in (
        ("enableDnsSupport", "enable-dns-support"),
        ("enableDnsHostnames", "enable-dns-hostnames"),
    ):
        try:
            answer = account.client("ec2").describe_vpc_attribute(VpcId=network.vpc_id, Attribute=attribute)
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvalidVpcID.NotFound":
                raise
            yield DNS.failed(network.vpc_id, "is not there", "vpc-not-found", region=region)
            return
        subject = f"{attribute} of {network.vpc_id}"
        if answer[attribute[0].upper() + attribute[1:]]["Value"]:
            yield DNS.passed(subject, "on")
        else:
            yield DNS.failed(subject, "off", "dns-off", vpc=network.vpc_id, option=option, region=region)


def load_balancer_tags(account: AwsAccount) -> Iterator[Finding]:
    """What the load balancer controller looks for."""
    network, region = account.plan.settings.network, account.plan.settings.region
    if not isinstance(network, ExistingNetwork):
        return
    for ids, tag in ((network.private_subnet_ids, _PRIVATE_TAG), (network.public_subnet_ids, _PUBLIC_TAG)):
        for subnet in _known(account, ids):
            if subnet.tags.get(tag) == "1":
                yield TAGS.passed(subnet.id, f"{tag}=1")
            else:
                yield TAGS.warned(subnet.id, f"no {tag}", "tag-missing", subnet=subnet.id, tag=tag, region=region)


def _known(account: AwsAccount, ids: Iterable[str]) -> list[Subnet]:
    return [account.subnets[one] for one in ids if one in account.subnets]


def _private_way_out(subnet: Subnet, table: Mapping[str, Any] | None) -> Finding:
    target = _default_route(table)
    if not target:
        return WAY_OUT.failed(subnet.id, _led(target), "no-way-out", table=_id(table))
    if not target.startswith("igw-"):
        return WAY_OUT.passed(subnet.id, f"to {target}")
    if subnet.gives_public_addresses:
        return WAY_OUT.warned(subnet.id, f"to {target}", "public-nodes")
    return WAY_OUT.failed(subnet.id, f"to {target}, but nodes get no public address", "no-way-out", table=_id(table))


def _table_of(subnet: str, tables: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The subnet's own route table, else the main one of the VPC."""
    every = list(tables)
    own = [table for table in every if any(one.get("SubnetId") == subnet for one in table["Associations"])]
    main = [table for table in every if any(one.get("Main") for one in table["Associations"])]
    return next(iter([*own, *main]), None)


def _default_route(table: Mapping[str, Any] | None) -> str:
    """Id of what the default route leads to; empty where there is none or it leads nowhere."""
    for route in table["Routes"] if table else ():
        if route.get("DestinationCidrBlock") == "0.0.0.0/0" and route.get("State") != "blackhole":
            targets = ("NatGatewayId", "TransitGatewayId", "GatewayId", "NetworkInterfaceId", "VpcPeeringConnectionId")
            return next((str(route[name]) for name in targets if route.get(name)), "")
    return ""


def _led(target: str) -> str:
    return f"to {target}" if target else "no default route, or one that leads nowhere"


def _id(table: Mapping[str, Any] | None) -> str:
    return str(table["RouteTableId"]) if table else "rtb-..."
