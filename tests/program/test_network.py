"""A new network: every subnet is routed, private ones through NAT, and Kubernetes finds them."""

from __future__ import annotations

import pytest

from tests.support.recordings import recording
from tests.support.stacks import NEW_CLUSTERS, plan_of_stack

SUBNET = "aws:ec2/subnet:Subnet"

pytestmark = pytest.mark.parametrize("stack", NEW_CLUSTERS)


def _routes(stack):
    """Logical name of each subnet → how its traffic leaves: the input of its table's default route."""
    recorded = recording(stack)
    exits = {
        one.inputs["routeTableId"]: sorted(set(one.inputs) & {"natGatewayId", "gatewayId"})
        for one in recorded.of("aws:ec2/route:Route")
        if one.inputs["destinationCidrBlock"] == "0.0.0.0/0"
    }
    names = {urn: one.name for urn, one in recorded.by_urn.items() if one.type == SUBNET}
    associations = recorded.of("aws:ec2/routeTableAssociation:RouteTableAssociation")
    return {
        names[urn]: exits[one.inputs["routeTableId"]]
        for one in associations
        for urn in one.dependencies
        if urn in names
    }


def test_every_subnet_has_one_way_out_and_private_ones_go_through_nat(stack):
    zones = range(1, len(plan_of_stack(stack).zones) + 1)
    private = {f"platform-network-private-{zone}": ["natGatewayId"] for zone in zones}
    public = {f"platform-network-public-{zone}": ["gatewayId"] for zone in zones}
    assert _routes(stack) == private | public


def test_subnets_lie_in_the_planned_zones_and_ranges(stack):
    plan = plan_of_stack(stack)
    declared = {(one.inputs["availabilityZone"], one.inputs["cidrBlock"]) for one in recording(stack).of(SUBNET)}
    assert declared == {(one.zone, one.cidr) for one in (*plan.addresses.private, *plan.addresses.public)}


def test_load_balancers_find_their_subnets(stack):
    for one in recording(stack).of(SUBNET):
        role = "kubernetes.io/role/elb" if "-public-" in one.name else "kubernetes.io/role/internal-elb"
        assert one.inputs["tags"][role] == "1"


def test_nodes_live_in_private_subnets(stack):
    recorded = recording(stack)
    private = {one.urn for one in recorded.of(SUBNET) if "-private-" in one.name}
    public = {one.urn for one in recorded.of(SUBNET)} - private
    for group in recorded.of("aws:eks/nodeGroup:NodeGroup"):
        assert private <= set(group.dependencies)
        assert not public & set(group.dependencies)
