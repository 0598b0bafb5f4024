"""Every rule for trees, over the stack file `cost` with every switch of `security` and every optional part on."""

from __future__ import annotations

import json
from functools import cache

import pytest

from gpu_slices.plan import Plan, make_plan
from gpu_slices.settings import parse
from gpu_slices.versions import DEVICE_PLUGIN
from rehearsal.project import project_program
from rehearsal.recorder import Recording, record
from tests.support.recordings import ADDON, LAUNCH_TEMPLATE, LOG_GROUP, NODE_CLASS, RELEASE, behind, recording
from tests.support.switches import DIGEST, KEY, RESERVED, STACK, SWITCHES, config
from tests.support.tree_rules import RULES, Rule


@cache
def tree() -> Recording:
    return record(project_program(), stack=STACK, config=config())


@cache
def plan() -> Plan:
    raw = {key.removeprefix("gpu-slices:"): value for key, value in config().items()}
    return make_plan(parse(raw, stack=STACK), stack=STACK)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_tree_with_everything_on_keeps_the_rule(rule: Rule):
    rule(tree(), plan())


def test_every_optional_addon_has_a_role_of_its_own_and_no_need_of_the_metadata_service():
    recorded = tree()
    addons = {one.inputs["addonName"]: one.inputs for one in recorded.of(ADDON)}
    optional = SWITCHES["cluster.optionalAddons"]
    roles = {name: addons[name]["podIdentityAssociations"][0]["roleArn"] for name in optional}
    assert len(set(roles.values())) == len(optional)
    trusts = [one for one in recorded.of("aws:iam/role:Role") if "-optional-" in one.name]
    assert len(trusts) == len(optional)
    for one in trusts:
        (statement,) = json.loads(one.inputs["assumeRolePolicy"])["Statement"]
        assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
        assert statement["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    for name in ("aws-ebs-csi-driver", "aws-fsx-csi-driver"):
        assert json.loads(addons[name]["configurationValues"])["controller"]["region"] == "us-east-1"


def test_container_insights_brings_no_second_dcgm_exporter_and_its_logs_end():
    recorded = tree()
    (insights,) = [one for one in recorded.of(ADDON) if "cloudwatch" in one.inputs["addonName"]]
    agent = json.loads(insights.inputs["configurationValues"])["agent"]["config"]
    assert agent["logs"]["metrics_collected"]["kubernetes"]["accelerated_compute_metrics"] is False
    groups = {one.inputs["name"]: one for one in recorded.of(LOG_GROUP) if "containerinsights" in one.inputs["name"]}
    assert {name.rpartition("/")[2] for name in groups} == {"application", "dataplane", "host", "performance"}
    assert {one.urn for one in groups.values()} <= set(insights.dependencies)


def test_an_add_ons_rights_are_there_before_it_and_after_it():
    recorded = tree()
    (ebs,) = [one for one in recorded.of(ADDON) if one.inputs["addonName"] == "aws-ebs-csi-driver"]
    rights = [one for one in recorded.resources if one.name.startswith(f"{ebs.name}-role-")]
    assert {one.type.split(":")[-1] for one in rights} == {"RolePolicy", "RolePolicyAttachment"}
    assert {one.urn for one in rights} <= set(ebs.dependencies)


def test_a_drain_finds_the_drivers_of_the_volumes_that_it_takes_off():
    recorded = tree()
    (release,) = recorded.of(RELEASE, "platform-karpenter-release")
    drivers = {one.urn for one in recorded.of(ADDON) if one.inputs["addonName"].endswith("-csi-driver")}
    assert len(drivers) == 2
    assert drivers <= behind(recorded, release)


def test_volumes_are_encrypted_by_default_and_under_the_stacks_own_key():
    (made,) = tree().of("kubernetes:storage.k8s.io/v1:StorageClass")
    assert made.inputs["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true"
    assert made.inputs["parameters"] == {"type": "gp3", "encrypted": "true", "kmsKeyId": KEY}


def test_whoever_launches_machines_has_a_grant_for_the_disk_key_first():
    recorded = tree()
    grants = {one.name: one for one in recorded.of("aws:kms/grant:Grant")}
    assert {one.inputs["keyId"] for one in grants.values()} == {KEY}
    assert sorted(grants) == ["platform-disk-key-auto-scaling", "platform-karpenter-controller-disk-key"]
    for group in recorded.of("aws:eks/nodeGroup:NodeGroup"):
        assert grants["platform-disk-key-auto-scaling"].urn in behind(recorded, group)
    (release,) = recorded.of(RELEASE, "platform-karpenter-release")
    assert grants["platform-karpenter-controller-disk-key"].urn in behind(recorded, release)
    templates = [disk["ebs"] for one in recorded.of(LAUNCH_TEMPLATE) for disk in one.inputs["blockDeviceMappings"]]
    classes = [disk["ebs"] for one in recorded.of(NODE_CLASS) for disk in one.inputs["spec"]["blockDeviceMappings"]]
    assert {disk["kmsKeyId"] for disk in templates} == {disk["kmsKeyID"] for disk in classes} == {KEY}


def test_nodes_of_a_capacity_block_live_in_its_zone_and_are_launched_from_nothing_else():
    recorded = tree()
    (group,) = [one for one in recorded.of("aws:eks/nodeGroup:NodeGroup") if "held" in one.name]
    (template,) = recorded.of(LAUNCH_TEMPLATE, "platform-held-template")
    zones = {
        one.name: one.inputs["availabilityZone"]
        for one in recorded.of("aws:ec2/subnet:Subnet")
        if one.urn in group.dependencies
    }
    (subnet,) = group.inputs["subnetIds"]
    assert subnet.startswith("subnet-")
    assert group.inputs["capacityType"] == "CAPACITY_BLOCK"
    assert "instanceTypes" not in group.inputs
    assert set(zones.values()) == {"us-east-1b"}
    assert template.inputs["instanceType"] == "p5.48xlarge"
    assert template.inputs["instanceMarketOptions"] == {"marketType": "capacity-block"}
    target = template.inputs["capacityReservationSpecification"]["capacityReservationTarget"]
    assert target == {"capacityReservationId": RESERVED}


def test_a_digest_reaches_every_container_of_its_image():
    (release,) = tree().of(RELEASE, "platform-gpu-operator-release")
    version = f"v{DEVICE_PLUGIN.version}@{DIGEST}"
    assert release.inputs["values"]["devicePlugin"]["version"] == version
    assert release.inputs["values"]["gfd"]["version"] == version


def test_an_emergencys_role_is_cluster_admin_and_audited():
    recorded = tree()
    (entry,) = recorded.of("aws:eks/accessEntry:AccessEntry", "platform-security-break-glass")
    (policy,) = recorded.of(
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation", "platform-security-break-glass-policy"
    )
    assert entry.inputs["principalArn"].endswith(":role/Emergency")
    assert policy.inputs["policyArn"].endswith("/AmazonEKSClusterAdminPolicy")
    (cluster,) = recorded.of("aws:eks/cluster:Cluster")
    assert "audit" in cluster.inputs["enabledClusterLogTypes"]


def test_guardduty_hears_from_the_nodes_and_from_nobody_else():
    recorded = tree()
    (endpoint,) = recorded.of("aws:ec2/vpcEndpoint:VpcEndpoint")
    (way_in,) = recorded.of("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    (cluster,) = recorded.of("aws:eks/cluster:Cluster")
    assert endpoint.inputs["privateDnsEnabled"] is True
    assert endpoint.inputs["securityGroupIds"] == [way_in.inputs["securityGroupId"]]
    assert cluster.urn in way_in.dependencies
    assert (way_in.inputs["fromPort"], way_in.inputs["toPort"]) == (443, 443)


def test_without_a_switch_there_is_nothing_of_it():
    types = {"FlowLog", "Detector", "Account", "VpcEndpoint", "Grant", "StorageClass"}
    assert not types & {one.type.split(":")[-1] for one in recording("dev").resources}
