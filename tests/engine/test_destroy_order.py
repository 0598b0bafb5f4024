"""In which order the engine takes down every stack with a cluster of its own: read from its own events."""

from __future__ import annotations

import pytest

from engine import Operation
from engine.operation import Change
from tests.support.lifecycle import EVERYDAY, Life, life
from tests.support.stacks import NEW_CLUSTERS, by_stack

pytestmark = pytest.mark.engine

NODES, CLUSTER, ADDON = "aws:eks/nodeGroup:NodeGroup", "aws:eks/cluster:Cluster", "aws:eks/addon:Addon"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
WAYS_OUT = (
    "aws:ec2/natGateway:NatGateway",
    "aws:ec2/route:Route",
    "aws:ec2/routeTableAssociation:RouteTableAssociation",
)


@pytest.fixture(scope="module", params=by_stack(EVERYDAY, NEW_CLUSTERS))
def lived(request: pytest.FixtureRequest) -> Life:
    return life(request.param)


def gone(operation: Operation, *types: str, name: str = "") -> list[Change]:
    found = [change for type_ in types for change in operation.of(type_) if name in change.name]
    assert found, (types, name)
    return found


def first(early: list[Change], late: list[Change]) -> None:
    """Everything early had ended before anything late began."""
    last = max(early, key=lambda change: change.finished or 0)
    next_ = min(late, key=lambda change: change.started)
    assert (last.finished or 0) < next_.started, f"{next_.name} began to go before {last.name} was gone"


def test_nodes_go_while_they_still_have_rights_network_and_addons(lived: Life):
    for group in gone(lived.destroy, NODES):
        component = group.name.removesuffix("-nodes")
        first([group], gone(lived.destroy, ATTACHMENT, name=f"{component}-role-"))
        first([group], gone(lived.destroy, *WAYS_OUT))
        first([group], gone(lived.destroy, ADDON, name="platform-basics-"))


def test_pods_go_while_dns_and_system_nodes_are_there(lived: Life):
    releases = gone(lived.destroy, "kubernetes:helm.sh/v3:Release", name=f"{lived.plan.settings.gpu_stack}-release")
    first(releases, gone(lived.destroy, ADDON, name="coredns"))
    first(releases, gone(lived.destroy, NODES, name="platform-system-nodes"))


def test_the_cluster_goes_before_its_ways_out_and_the_log_group_it_writes_to(lived: Life):
    cluster = gone(lived.destroy, CLUSTER)
    first(cluster, gone(lived.destroy, *WAYS_OUT))
    first(cluster, gone(lived.destroy, "aws:cloudwatch/logGroup:LogGroup", name="platform-cluster-logs"))
    first(cluster, gone(lived.destroy, "aws:kms/key:Key"))


def test_everything_in_the_cluster_goes_before_the_cluster(lived: Life):
    inside = [change for change in lived.destroy.changes if change.type.startswith("kubernetes:")]
    assert inside
    first(inside, gone(lived.destroy, CLUSTER))
