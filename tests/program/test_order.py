"""What must exist before what, and so go after it: the edges that a destroy needs to finish."""

from __future__ import annotations

import pytest

from tests.support.recordings import (
    ADDON,
    EKS_CLUSTER,
    LOG_GROUP,
    MANAGED_NODES,
    NODE_CLASS,
    NODE_POOL,
    RELEASE,
    behind,
    recording,
)
from tests.support.stacks import NEW_CLUSTERS, plan_of_stack

WAYS_OUT = (
    "aws:ec2/natGateway:NatGateway",
    "aws:ec2/route:Route",
    "aws:ec2/routeTableAssociation:RouteTableAssociation",
)

pytestmark = pytest.mark.parametrize("stack", NEW_CLUSTERS)


def _urns(stack, *types, name=None):
    return {one.urn for type_ in types for one in recording(stack).of(type_) if name in (None, one.name)}


def _before(stack, type_, name=None):
    """What lies behind each resource of a type."""
    found = recording(stack).of(type_, name)
    assert found
    return [behind(recording(stack), one) for one in found]


def test_the_log_group_is_there_before_the_cluster_writes_to_it(stack):
    cluster = plan_of_stack(stack).settings.cluster
    (logs,) = recording(stack).of(LOG_GROUP, "platform-cluster-logs")
    assert logs.inputs["name"] == f"/aws/eks/{cluster.name}/cluster"
    assert logs.inputs["retentionInDays"] == cluster.log_retention_days
    assert all(logs.urn in before for before in _before(stack, EKS_CLUSTER))


def test_the_cluster_outlives_no_way_out(stack):
    """Deleting a cluster drains load balancers and interfaces, which needs routes and NAT."""
    ways_out = _urns(stack, *WAYS_OUT)
    assert ways_out
    assert all(ways_out <= before for before in _before(stack, EKS_CLUSTER))


def test_nodes_join_after_network_addons_ways_out_and_their_own_rights(stack):
    basics = {one.urn for one in recording(stack).of(ADDON) if one.inputs["addonName"] in _NETWORK_ADDONS}
    assert len(basics) == len(_NETWORK_ADDONS)
    for group in recording(stack).of(MANAGED_NODES):
        before = behind(recording(stack), group)
        assert basics <= before
        assert _urns(stack, *WAYS_OUT) <= before
        rights = {one.urn for one in recording(stack).resources if one.name.startswith(f"{group.name[:-6]}-role-")}
        assert len(rights) == 4
        assert rights <= before


_NETWORK_ADDONS = {"eks-pod-identity-agent", "kube-proxy", "vpc-cni"}


def test_addons_with_pods_come_after_the_system_nodes(stack):
    nodes = _urns(stack, MANAGED_NODES, name="platform-system-nodes")
    for name in ("platform-services-coredns", "platform-services-metrics-server"):
        assert all(nodes <= before for before in _before(stack, ADDON, name))


def test_every_chart_with_pods_comes_after_dns_and_system_nodes(stack):
    needed = _urns(stack, MANAGED_NODES, name="platform-system-nodes")
    needed |= _urns(stack, ADDON, name="platform-services-coredns")
    for release in recording(stack).of(RELEASE):
        if "crd" not in release.inputs["name"]:
            assert needed <= behind(recording(stack), release), release.name


def test_the_gpu_chart_comes_after_its_namespace_and_config(stack):
    stack_name = plan_of_stack(stack).settings.gpu_stack
    own = [one for one in recording(stack).resources if one.name.startswith(f"platform-{stack_name}-")]
    releases = {one.name: one for one in own if one.type == RELEASE}
    before = {one.urn for one in own if one.custom} - {one.urn for one in releases.values()}
    first = releases.pop(f"platform-{stack_name}-release")
    assert before <= behind(recording(stack), first)
    for further in releases.values():
        assert {*before, first.urn} <= behind(recording(stack), further)


def test_launched_nodes_go_before_the_controller_that_drains_them(stack):
    """And before everything that a drain needs: identity, queue, network, DNS, system nodes."""
    if not plan_of_stack(stack).karpenter:
        return
    controller = _urns(stack, RELEASE, name="platform-karpenter-release")
    drain = _urns(stack, *WAYS_OUT, "aws:sqs/queue:Queue", "aws:eks/podIdentityAssociation:PodIdentityAssociation")
    drain |= _urns(stack, "aws:eks/accessEntry:AccessEntry", name="platform-karpenter-node-access")
    drain |= _urns(stack, MANAGED_NODES, ADDON) - _urns(stack, ADDON, name="platform-security-guard-duty-agent")
    for pool in (*recording(stack).of(NODE_POOL), *recording(stack).of(NODE_CLASS)):
        assert controller | drain <= behind(recording(stack), pool), pool.name
