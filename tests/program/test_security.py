"""What every stack file's nodes, cluster and secrets must look like."""

from __future__ import annotations

import json

import pytest

from engine.operation import SECRET
from tests.support.recordings import (
    ADDON,
    KUBERNETES_PROVIDER,
    LAUNCH_TEMPLATE,
    MANAGED_NODES,
    NODE_CLASS,
    RELEASE,
    recording,
    strings,
)
from tests.support.stacks import NEW_CLUSTERS, STACKS, plan_of_stack

pytestmark = pytest.mark.parametrize("stack", STACKS)

#: gp3's own throughput in MiB/s: less cannot be asked for.
GP3_BASELINE = 125


def test_node_metadata_needs_a_token_and_stops_at_the_node(stack):
    """Hop limit 1: a pod without host network can't take the node's role."""
    for template in recording(stack).of(LAUNCH_TEMPLATE):
        assert template.inputs["metadataOptions"]["httpTokens"] == "required"
        assert template.inputs["metadataOptions"]["httpPutResponseHopLimit"] == 1
    for node_class in recording(stack).of(NODE_CLASS):
        assert node_class.inputs["spec"]["metadataOptions"]["httpTokens"] == "required"
        assert node_class.inputs["spec"]["metadataOptions"]["httpPutResponseHopLimit"] == 1


def test_node_disks_are_encrypted_gp3_with_a_stated_throughput(stack):
    recorded = recording(stack)
    mappings = [m for one in recorded.of(LAUNCH_TEMPLATE) for m in one.inputs["blockDeviceMappings"]]
    mappings += [m for one in recorded.of(NODE_CLASS) for m in one.inputs["spec"]["blockDeviceMappings"]]
    assert mappings
    for disk in (mapping["ebs"] for mapping in mappings):
        assert disk["volumeType"] == "gp3"
        assert disk["encrypted"] in (True, "true")
        assert disk["throughput"] >= GP3_BASELINE


def test_gpu_images_do_not_load_at_the_baseline_of_gp3(stack):
    recorded = recording(stack)
    gpu = {pool.name for pool in plan_of_stack(stack).pools if not pool.existing}
    templates = [
        t for t in recorded.of(LAUNCH_TEMPLATE) if t.name.removeprefix("platform-")[: -len("-template")] in gpu
    ]
    classes = [one for one in recorded.of(NODE_CLASS) if one.inputs["metadata"]["name"] in gpu]
    disks = [t.inputs["blockDeviceMappings"][0]["ebs"] for t in templates]
    disks += [one.inputs["spec"]["blockDeviceMappings"][0]["ebs"] for one in classes]
    assert len(disks) == len(gpu)
    assert all(disk["throughput"] > GP3_BASELINE for disk in disks)


def test_nobody_can_log_in_over_ssh(stack):
    for one in recording(stack).resources:
        assert not {"keyName", "remoteAccess", "nodePublicKey"} & set(one.inputs), f"{one.name} lets somebody in"
        assert one.inputs.get("fromPort") != 22
        assert not any("ssh" in path.lower() for path, _ in strings(one.inputs)), one.name


def test_nothing_has_a_public_address_of_its_own(stack):
    for subnet in recording(stack).of("aws:ec2/subnet:Subnet"):
        assert subnet.inputs["mapPublicIpOnLaunch"] is False


def test_the_kubeconfig_is_a_secret_wherever_it_goes(stack):
    recorded = recording(stack)
    assert recorded.outputs["kubeconfig"] == SECRET
    for one in recorded.resources:
        for path, text in strings(one.inputs):
            if "certificate-authority-data" in text and not _of_pulumi_eks(one):
                assert path.split(".")[1] in one.secrets, f"{one.name}{path} shows a kubeconfig"


def test_the_kubeconfig_holds_no_credential_itself(stack):
    (provider,) = recording(stack).of(KUBERNETES_PROVIDER, "platform-cluster-kubernetes")
    (user,) = json.loads(provider.inputs["kubeconfig"])["users"]
    assert set(user["user"]) == {"exec"}


def test_secrets_and_logs_of_the_control_plane_have_a_key(stack):
    if stack not in NEW_CLUSTERS:
        return
    recorded = recording(stack)
    (cluster,) = recorded.of("aws:eks/cluster:Cluster")
    assert cluster.inputs["encryptionConfig"]["resources"] == ["secrets"]
    (logs,) = recorded.of("aws:cloudwatch/logGroup:LogGroup", "platform-cluster-logs")
    assert logs.inputs["kmsKeyId"]
    (key,) = recorded.of("aws:kms/key:Key")
    assert key.inputs["enableKeyRotation"] is True


def test_what_nodes_are_launched_with_carries_the_stacks_tags(stack):
    """The provider's default tags reach launch templates, but not what launch templates and Karpenter launch."""
    tags = set(plan_of_stack(stack).tags.items())
    for template in recording(stack).of(LAUNCH_TEMPLATE):
        told = {entry["resourceType"]: set(entry["tags"].items()) for entry in template.inputs["tagSpecifications"]}
        assert sorted(told) == ["instance", "network-interface", "volume"]
        assert all(tags <= own for own in told.values())
    for node_class in recording(stack).of(NODE_CLASS):
        assert tags <= set(node_class.inputs["spec"]["tags"].items())


def test_every_version_is_pinned(stack):
    """Charts and AMIs exactly. A managed group's AMI release and an add-on's version may be left to EKS, which keeps them."""
    recorded = recording(stack)
    for release in recorded.of(RELEASE):
        assert release.inputs["version"].lstrip("v").count(".") == 2, release.name
    for node_class in recorded.of(NODE_CLASS):
        assert all("@v2" in term["alias"] for term in node_class.inputs["spec"]["amiSelectorTerms"])
    for group in recorded.of(MANAGED_NODES):
        assert group.inputs["amiType"].startswith("AL2023_x86_64_")
        assert group.inputs["version"] == plan_of_stack(stack).settings.cluster.version
    for one in recorded.resources:
        for path, text in strings(one.inputs):
            assert not text.endswith(("@latest", ":latest", "$Latest", "$Default")), f"{one.name}{path} is {text}"


def test_only_addons_and_node_groups_may_leave_a_version_to_eks(stack):
    recorded = recording(stack)
    pinned = plan_of_stack(stack).settings.cluster.addons
    for addon in recorded.of(ADDON):
        assert addon.inputs.get("addonVersion") == pinned.get(addon.inputs["addonName"])


def _of_pulumi_eks(resource) -> bool:
    """The provider that the packaged cluster component makes for itself; nothing of ours uses it."""
    return resource.name == "platform-cluster-eks-eks-k8s"
