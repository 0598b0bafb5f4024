"""A VPC with public and private subnets, one of each per zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from gpu_slices.settings.cluster import ExistingNetwork
from gpu_slices.subnets import AddressPlan, Subnet

from .component import Component


@dataclass(frozen=True, kw_only=True)
class NetworkRefs:
    """What the rest needs of a network, new or existing. `ways_out` are what nodes need to reach the Internet."""

    vpc_id: pulumi.Input[str]
    private_subnet_ids: Sequence[pulumi.Input[str]]
    public_subnet_ids: Sequence[pulumi.Input[str]]
    ways_out: tuple[pulumi.Resource, ...] = ()

    @classmethod
    def existing(cls, network: ExistingNetwork) -> NetworkRefs:
        """Those of a network that is there already; its ways out are its own."""
        return cls(
            vpc_id=network.vpc_id,
            private_subnet_ids=list(network.private_subnet_ids),
            public_subnet_ids=list(network.public_subnet_ids),
        )

    def private_subnets(self, positions: Sequence[int] | None) -> list[pulumi.Input[str]]:
        """Ids of the private subnets at some positions; None for all."""
        every = list(self.private_subnet_ids)
        return every if positions is None else [every[position] for position in positions]


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """A new VPC: its range, its subnets, one NAT gateway or one per zone, the cluster its load balancers serve."""

    cidr: str
    addresses: AddressPlan
    nat_per_zone: bool
    cluster_name: str


class Network(Component):
    """VPC, subnets, Internet gateway, NAT and routes."""

    refs: NetworkRefs

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        vpc = aws.ec2.Vpc(
            f"{name}-vpc",
            cidr_block=args.cidr,
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags={"Name": f"{args.cluster_name}-vpc"},
            opts=self.child(),
        )
        # EC2's own lets its members talk to each other and to everybody; nothing here is a member.
        aws.ec2.DefaultSecurityGroup(
            f"{name}-default-closed",
            vpc_id=vpc.id,
            tags={"Name": f"{args.cluster_name}-default-closed"},
            opts=self.child(),
        )
        public = [
            self._subnet(f"{name}-public-{index}", vpc, subnet, args.cluster_name, public=True)
            for index, subnet in enumerate(args.addresses.public, start=1)
        ]
        private = [
            self._subnet(f"{name}-private-{index}", vpc, subnet, args.cluster_name, public=False)
            for index, subnet in enumerate(args.addresses.private, start=1)
        ]
        outside = self._public_routes(name, vpc, public)
        inside = self._private_routes(name, vpc, public, private, outside, nat_per_zone=args.nat_per_zone)
        self.refs = NetworkRefs(
            vpc_id=vpc.id,
            private_subnet_ids=[subnet.id for subnet in private],
            public_subnet_ids=[subnet.id for subnet in public],
            ways_out=(*outside, *inside),
        )
        self.register_outputs({"vpc_id": vpc.id, "private_subnet_ids": self.refs.private_subnet_ids})

    def _subnet(self, name: str, vpc: aws.ec2.Vpc, subnet: Subnet, cluster: str, *, public: bool) -> aws.ec2.Subnet:
        role = "kubernetes.io/role/elb" if public else "kubernetes.io/role/internal-elb"
        kind = "public" if public else "private"
        return aws.ec2.Subnet(
            name,
            vpc_id=vpc.id,
            cidr_block=subnet.cidr,
            availability_zone=subnet.zone,
            map_public_ip_on_launch=False,
            tags={"Name": f"{cluster}-{kind}-{subnet.zone}", role: "1", f"kubernetes.io/cluster/{cluster}": "shared"},
            opts=self.child(),
        )

    def _public_routes(self, name: str, vpc: aws.ec2.Vpc, subnets: list[aws.ec2.Subnet]) -> list[pulumi.Resource]:
        gateway = aws.ec2.InternetGateway(f"{name}-internet", vpc_id=vpc.id, opts=self.child())
        table = aws.ec2.RouteTable(f"{name}-public", vpc_id=vpc.id, opts=self.child())
        route = aws.ec2.Route(
            f"{name}-public-out",
            route_table_id=table.id,
            destination_cidr_block="0.0.0.0/0",
            gateway_id=gateway.id,
            opts=self.child(),
        )
        return [route, *self._associations(f"{name}-public", table, subnets)]

    def _private_routes(
        self,
        name: str,
        vpc: aws.ec2.Vpc,
        public: list[aws.ec2.Subnet],
        private: list[aws.ec2.Subnet],
        outside: list[pulumi.Resource],
        *,
        nat_per_zone: bool,
    ) -> list[pulumi.Resource]:
        homes = public if nat_per_zone else public[:1]
        made: list[pulumi.Resource] = []
        for index, home in enumerate(homes, start=1):
            address = aws.ec2.Eip(f"{name}-nat-{index}-address", domain="vpc", opts=self.child(depends_on=outside))
            nat = aws.ec2.NatGateway(
                f"{name}-nat-{index}",
                allocation_id=address.allocation_id,
                subnet_id=home.id,
                opts=self.child(depends_on=outside),
            )
            table = aws.ec2.RouteTable(f"{name}-private-{index}", vpc_id=vpc.id, opts=self.child())
            route = aws.ec2.Route(
                f"{name}-private-{index}-out",
                route_table_id=table.id,
                destination_cidr_block="0.0.0.0/0",
                nat_gateway_id=nat.id,
                opts=self.child(),
            )
            served = [private[index - 1]] if nat_per_zone else private
            made += [nat, route, *self._associations(f"{name}-private-{index}", table, served)]
        return made

    def _associations(
        self, name: str, table: aws.ec2.RouteTable, subnets: list[aws.ec2.Subnet]
    ) -> list[aws.ec2.RouteTableAssociation]:
        return [
            aws.ec2.RouteTableAssociation(
                f"{name}-subnet-{index}", route_table_id=table.id, subnet_id=subnet.id, opts=self.child()
            )
            for index, subnet in enumerate(subnets, start=1)
        ]
