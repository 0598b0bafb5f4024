"""What `preflight` reads of an AWS account: describes, lists and gets, each at most once; nothing is ever written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from botocore.exceptions import ClientError

from ..adoption.facts import ClusterFacts, described
from ..kubeconfig import kubeconfig
from ..leftovers.owner import Owner, owner_of, tags_of
from ..plan import Plan
from ..settings.adopted_cluster import AdoptedCluster
from ..settings.cluster import ExistingNetwork
from ..settings.effective import system_nodes_of
from .cluster_api import ClusterApi

#: Gives a boto3 client by the service's name.
Clients = Callable[[str], Any]
#: Gives a cluster's API, for somebody whom AWS knows; the facts, and the region.
Opened = Callable[[ClusterFacts, str], ClusterApi]
#: EC2 takes at most 200 values in one filter.
_FILTER_VALUES: Final = 200


@dataclass(frozen=True, kw_only=True)
class Zone:
    """One availability zone as this account sees it: `id` (usw2-az1) is the same for everybody, `name` is not."""

    name: str
    id: str
    usable: bool


@dataclass(frozen=True, kw_only=True)
class Subnet:
    """One subnet of an existing network."""

    id: str
    vpc_id: str
    zone: str
    free_addresses: int
    gives_public_addresses: bool
    tags: Mapping[str, str]


class AwsAccount:
    """One account and region, as the clients see it. Every property raises botocore's errors."""

    def __init__(self, plan: Plan, clients: Clients, opened: Opened | None = None) -> None:
        """`opened` gives the API of an adopted cluster; without it, by tokens of the AWS CLI."""
        self.plan = plan
        self.client = clients
        self._opened = opened or open_by_token

    def open_cluster(self, facts: ClusterFacts) -> ClusterApi:
        """The API of the adopted cluster. Raises ClusterError."""
        return self._opened(facts, self.plan.settings.region)

    @cached_property
    def adopted(self) -> ClusterFacts | None:
        """What AWS says of the cluster that is to be adopted; None where none is, or it is not there."""
        cluster = self.plan.settings.cluster
        if not isinstance(cluster, AdoptedCluster):
            return None
        try:
            found = self.client("eks").describe_cluster(name=cluster.adopt)["cluster"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            return None
        vpc = found["resourcesVpcConfig"]["vpcId"]
        subnets = pages(self.client("ec2"), "describe_subnets", "Subnets", Filters=[_one_of("vpc-id", [vpc])])
        addons = pages(self.client("eks"), "list_addons", "addons", clusterName=cluster.adopt)
        return described(
            found,
            vpc_subnets=frozenset(str(one["SubnetId"]) for one in subnets),
            addons=dict.fromkeys(map(str, addons), True),
        )

    @property
    def owner(self) -> Owner:
        """Tells the stack's own things from others."""
        return owner_of(self.plan.stack, self.plan.settings)

    @cached_property
    def identity(self) -> Mapping[str, str]:
        """`Account` and `Arn` of whoever asks."""
        return self.client("sts").get_caller_identity()

    @cached_property
    def zones(self) -> Mapping[str, Zone]:
        """Availability zones of the region by name."""
        filters = [{"Name": "zone-type", "Values": ["availability-zone"]}]
        listed = self.client("ec2").describe_availability_zones(Filters=filters)["AvailabilityZones"]
        return {
            one["ZoneName"]: Zone(name=one["ZoneName"], id=one["ZoneId"], usable=one["State"] == "available")
            for one in listed
        }

    @cached_property
    def subnets(self) -> Mapping[str, Subnet]:
        """The subnets that an existing network names and that exist, by id; empty for a new network."""
        network = self.plan.settings.network
        if not isinstance(network, ExistingNetwork):
            return {}
        ids = [*network.private_subnet_ids, *network.public_subnet_ids]
        found = pages(self.client("ec2"), "describe_subnets", "Subnets", Filters=[_one_of("subnet-id", ids)])
        return {one["SubnetId"]: _subnet(one) for one in found}

    @property
    def node_zones(self) -> tuple[str, ...]:
        """Zones that nodes can be in: those of the private subnets."""
        network = self.plan.settings.network
        if not isinstance(network, ExistingNetwork):
            return self.plan.zones
        return tuple(sorted({self.subnets[one].zone for one in network.private_subnet_ids if one in self.subnets}))

    @property
    def instance_types(self) -> tuple[str, ...]:
        """Every instance type that the stack may launch, system nodes included."""
        system = system_nodes_of(self.plan.settings)
        own = {system.instance_type} if system else set()
        return tuple(sorted(own.union(*(pool.instance_types for pool in self.plan.pools if not pool.existing))))

    @cached_property
    def offered(self) -> Mapping[str, frozenset[str]]:
        """Instance type → zones of the region that offer it; a type that none offers is absent."""
        found: dict[str, set[str]] = {}
        for chunk in _chunks(self.instance_types):
            rows = pages(
                self.client("ec2"),
                "describe_instance_type_offerings",
                "InstanceTypeOfferings",
                LocationType="availability-zone",
                Filters=[_one_of("instance-type", chunk)],
            )
            for row in rows:
                found.setdefault(row["InstanceType"], set()).add(row["Location"])
        return {name: frozenset(zones) for name, zones in sorted(found.items())}

    @cached_property
    def vcpus(self) -> Mapping[str, int]:
        """Instance type → vCPUs, of the types that the catalogue or this region knows."""
        known = {shape.instance.name: shape.instance.vcpu for pool in self.plan.pools for shape in pool.shapes}
        missing = [name for name in self.instance_types if name not in known]
        if not missing:
            return known
        rows = pages(
            self.client("ec2"), "describe_instance_types", "InstanceTypes", Filters=[_one_of("instance-type", missing)]
        )
        return known | {row["InstanceType"]: row["VCpuInfo"]["DefaultVCpus"] for row in rows}

    @cached_property
    def instances(self) -> tuple[Mapping[str, Any], ...]:
        """Instances that run here and are not the stack's own, as EC2 describes them."""
        filters = [_one_of("instance-state-name", ["pending", "running"])]
        found = pages(self.client("ec2"), "describe_instances", "Reservations", Filters=filters)
        every = (instance for reservation in found for instance in reservation["Instances"])
        return tuple(one for one in every if not self.owner.owns(tags_of(one)))


def open_by_token(facts: ClusterFacts, region: str) -> ClusterApi:
    """The API of a cluster, as whoever the AWS CLI says one is. Raises ClusterError."""
    return ClusterApi(content=json.loads(kubeconfig(facts.name, facts.endpoint, facts.certificate_authority, region)))


def pages(client: Any, operation: str, answer: str, **arguments: Any) -> list[Any]:
    """Everything that an operation lists under `answer`, page by page."""
    if not client.can_paginate(operation):
        return list(getattr(client, operation)(**arguments)[answer])
    return [one for page in client.get_paginator(operation).paginate(**arguments) for one in page[answer]]


def _one_of(name: str, values: Iterable[str]) -> dict[str, Any]:
    return {"Name": name, "Values": list(values)}


def _chunks(values: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [values[start : start + _FILTER_VALUES] for start in range(0, len(values), _FILTER_VALUES)]


def _subnet(listed: Mapping[str, Any]) -> Subnet:
    return Subnet(
        id=listed["SubnetId"],
        vpc_id=listed["VpcId"],
        zone=listed["AvailabilityZone"],
        free_addresses=listed["AvailableIpAddressCount"],
        gives_public_addresses=bool(listed.get("MapPublicIpOnLaunch")),
        tags=tags_of(listed),
    )
