"""What the program asks of pulumi_eks's packaged components, whose defaults would undo what the platform promises."""

from __future__ import annotations

import pytest

from gpu_slices.naming import NODE_GROUP_PREFIX_LIMIT
from gpu_slices.settings.cluster import ADDON_NAMES
from tests.support.recordings import ADDON, EKS_CLUSTER, MANAGED_NODES, recording
from tests.support.stacks import NEW_CLUSTERS, plan_of_stack

pytestmark = pytest.mark.parametrize("stack", NEW_CLUSTERS)

#: All that may reach ManagedNodeGroup beside an own launch template; the rest is in the template, or EKS refuses it.
BESIDE_A_TEMPLATE = {
    "amiType", "capacityType", "cluster", "clusterName", "instanceTypes", "labels", "launchTemplate",
    "nodeGroupNamePrefix", "nodeRole", "releaseVersion", "scalingConfig", "subnetIds", "taints", "version",
}  # fmt: skip


def test_node_groups_bring_their_own_launch_template_and_nothing_that_fights_it(stack):
    for group in recording(stack).of(MANAGED_NODES):
        assert set(group.inputs) <= BESIDE_A_TEMPLATE
        assert set(group.inputs["launchTemplate"]) == {"id", "version"}


def test_an_edit_of_desired_acts(stack):
    """With ignored scaling changes it would do nothing."""
    for group in recording(stack).of(MANAGED_NODES):
        assert "ignoreScalingChanges" not in group.inputs
        assert group.ignore_changes == ()


def test_node_groups_can_be_replaced_because_their_names_are_prefixes(stack):
    for group in recording(stack).of(MANAGED_NODES):
        assert "nodeGroupName" not in group.inputs
        assert len(group.inputs["nodeGroupNamePrefix"]) <= NODE_GROUP_PREFIX_LIMIT


def test_the_packaged_cluster_makes_no_addon_node_or_security_group(stack):
    (cluster,) = recording(stack).of(EKS_CLUSTER)
    wanted = {
        "skipDefaultNodeGroup": True,
        "skipDefaultSecurityGroups": True,
        "authenticationMode": "API",
        "useDefaultVpcCni": True,
        "kubeProxyAddonOptions": {"enabled": False},
        "corednsAddonOptions": {"enabled": False},
        "bootstrapSelfManagedAddons": False,
        "createOidcProvider": False,
    }
    assert {name: cluster.inputs.get(name) for name in wanted} == wanted


def test_the_program_installs_every_addon_itself_and_owns_its_fields(stack):
    addons = {one.inputs["addonName"]: one.inputs for one in recording(stack).of(ADDON)}
    settings = plan_of_stack(stack).settings
    wanted = {*ADDON_NAMES, *settings.cluster.optional_addons}
    assert set(addons) == (wanted | {"aws-guardduty-agent"} if settings.security.guard_duty else wanted)
    for inputs in addons.values():
        assert inputs["resolveConflictsOnCreate"] == "OVERWRITE"
        assert inputs["resolveConflictsOnUpdate"] == "OVERWRITE"
