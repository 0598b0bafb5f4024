"""The Karpenter component in somebody else's program: what it declares, and what waits for what."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from gpu_slices.iam.karpenter import ControllerScope, controller_policies
from gpu_slices.iam.node import NODE_POLICIES
from gpu_slices.interruptions import event_patterns
from rehearsal.answers import Declared
from rehearsal.recorder import LATER, Recording, record
from tests.support.karpenter_program import CONFIG, karpenter_program

RELEASE = "kubernetes:helm.sh/v3:Release"
ROLE, POLICY = "aws:iam/role:Role", "aws:iam/policy:Policy"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
ENTRY, ASSOCIATION = "aws:eks/accessEntry:AccessEntry", "aws:eks/podIdentityAssociation:PodIdentityAssociation"
RULE, TARGET = "aws:cloudwatch/eventRule:EventRule", "aws:cloudwatch/eventTarget:EventTarget"
QUEUE, QUEUE_POLICY = "aws:sqs/queue:Queue", "aws:sqs/queuePolicy:QueuePolicy"
LOGS = "aws:cloudwatch/logGroup:LogGroup"


@pytest.fixture(scope="module")
def recording() -> Recording:
    return record(karpenter_program, project="karp", config=CONFIG)


def only(recording: Recording, type_: str, name: str | None = None) -> Declared:
    (found,) = recording.of(type_, name)
    return found


def before(recording: Recording, resource: Declared) -> set[str]:
    """Names of everything that a resource waits for, directly or not."""
    seen: set[str] = set()
    waiting = list(resource.dependencies)
    while waiting:
        urn = waiting.pop()
        if urn not in seen:
            seen.add(urn)
            waiting.extend(recording.by_urn[urn].dependencies)
    return {recording.by_urn[urn].name for urn in seen}


def test_the_controller_comes_after_its_rights_its_nodes_rights_its_queue_its_crds_and_what_a_drain_needs(
    recording: Recording,
):
    earlier = before(recording, only(recording, RELEASE, "karpenter-release"))
    needed = {one.name for type_ in (ATTACHMENT, ENTRY, ASSOCIATION, QUEUE_POLICY) for one in recording.of(type_)}
    assert needed | {"karpenter-crds", "karpenter-node-profile", "dns"} <= earlier
    assert {name for name in earlier if name.endswith("-queue") and "interruptions-" in name} == {
        "karpenter-interruptions-queue",
        *(f"karpenter-interruptions-{word}-queue" for word in event_patterns()),
    }


def test_a_pool_that_depends_on_the_release_goes_before_all_of_it(recording: Recording):
    earlier = before(recording, only(recording, "kubernetes:karpenter.sh/v1:NodePool"))
    mine = {
        one.name
        for one in recording.resources
        if one.custom and one.name.startswith("karpenter") and "-logs" not in one.name
    }
    assert mine <= earlier


def test_the_crds_come_by_their_own_chart_and_the_controllers_copy_is_left_alone(recording: Recording):
    crds, controller = (only(recording, RELEASE, f"karpenter-{word}").inputs for word in ("crds", "release"))
    assert crds["chart"] == "oci://public.ecr.aws/karpenter/karpenter-crd"
    assert controller["chart"] == "oci://public.ecr.aws/karpenter/karpenter"
    assert (crds["version"], controller["version"]) == ("1.14.1", "1.14.1")
    assert (crds["skipCrds"], controller["skipCrds"]) == (False, True)
    assert (crds["atomic"], controller["atomic"]) == (False, False)


def test_the_controller_is_told_the_cluster_the_queue_and_the_region(recording: Recording):
    values = only(recording, RELEASE, "karpenter-release").inputs["values"]
    assert values["settings"]["clusterName"] == only(recording, "aws:eks/cluster:Cluster").inputs["name"]
    assert values["settings"]["interruptionQueue"] == recording.outputs["queue"]
    assert values["controller"]["env"] == [{"name": "AWS_REGION", "value": "us-west-2"}]


def test_pod_identity_gives_the_role_to_the_service_account_that_the_chart_makes(recording: Recording):
    association = only(recording, ASSOCIATION).inputs
    release = only(recording, RELEASE, "karpenter-release").inputs
    assert association["namespace"] == release["namespace"]
    assert association["serviceAccount"] == release["values"]["serviceAccount"]["name"]
    role = only(recording, ROLE, "karpenter-controller-role")
    assert role.urn in only(recording, ASSOCIATION).dependencies
    assert "pods.eks.amazonaws.com" in role.inputs["assumeRolePolicy"]


def test_every_right_of_the_controller_is_made_and_attached(recording: Recording):
    """The documents are those of the IAM tests, filled in with what AWS answered."""
    expected = controller_policies(
        ControllerScope(
            partition="aws",
            account="123456789012",
            region="us-west-2",
            cluster_name="demo",
            node_role_arn=recording.outputs["nodeRole"],
            queue_arn=f"arn:aws:sqs:us-west-2:123456789012:{recording.outputs['queue']}",
            spot=True,
        )
    )
    made = {one.name.removeprefix("karpenter-controller-"): one for one in recording.of(POLICY)}
    assert {name: json.loads(policy.inputs["policy"]) for name, policy in made.items()} == expected
    for name, policy in made.items():
        attachment = only(recording, ATTACHMENT, f"karpenter-controller-role-{name}")
        assert policy.urn in attachment.dependencies
        assert only(recording, ROLE, "karpenter-controller-role").urn in attachment.dependencies


def test_nodes_may_join_with_the_role_that_is_in_the_profile(recording: Recording):
    role = only(recording, ROLE, "karpenter-node")
    entry, profile = only(recording, ENTRY), only(recording, "aws:iam/instanceProfile:InstanceProfile")
    assert entry.inputs["type"] == "EC2_LINUX"
    assert entry.inputs["principalArn"] == recording.outputs["nodeRole"]
    assert role.urn in entry.dependencies
    assert role.urn in profile.dependencies
    attached = [one for one in recording.of(ATTACHMENT) if role.urn in one.dependencies]
    assert {one.inputs["policyArn"].rsplit("/", 1)[-1] for one in attached} == set(NODE_POLICIES.values())


def test_no_role_policy_profile_queue_or_rule_has_a_name_of_its_own(recording: Recording):
    """A role that is made again under its old name cannot join; a queue's name is closed for a minute."""
    for type_ in (ROLE, POLICY, "aws:iam/instanceProfile:InstanceProfile", QUEUE, RULE):
        assert all("name" not in one.inputs for one in recording.of(type_))


def test_each_of_the_five_events_goes_to_the_queue_and_to_the_log_group(recording: Recording):
    patterns = {one.urn: json.loads(one.inputs["eventPattern"]) for one in recording.of(RULE)}
    assert sorted(patterns.values(), key=str) == sorted(event_patterns().values(), key=str)
    reached: dict[str, set[str]] = {}
    for target in recording.of(TARGET):
        (rule,) = set(patterns) & set(target.dependencies)
        reached.setdefault(rule, set()).add(target.inputs["arn"].split(":")[2])
    assert reached == {rule: {"sqs", "logs"} for rule in patterns}


def test_messages_are_encrypted_and_short_lived_and_logs_are_kept_for_a_month(recording: Recording):
    queue, logs = only(recording, QUEUE).inputs, only(recording, LOGS).inputs
    assert (queue["sqsManagedSseEnabled"], queue["messageRetentionSeconds"]) == (True, 300)
    assert (logs["name"], logs["retentionInDays"]) == ("/aws/events/demo/interruptions", 30)


def test_without_spot_pools_nobody_may_make_the_spot_role():
    recording = record(karpenter_program, project="karp", config={**CONFIG, "karp:spot": "false"})
    documents = [policy.inputs["policy"] for policy in recording.of(POLICY)]
    assert documents
    assert not [document for document in documents if "CreateServiceLinkedRole" in document]


def test_a_preview_knows_which_policies_there_will_be_before_aws_has_answered(recording: Recording):
    preview = record(karpenter_program, project="karp", config=CONFIG, preview=True)
    assert names(preview) == names(recording)
    assert preview.outputs["nodeRole"] == LATER


def names(recording: Recording) -> set[tuple[str, str]]:
    return {(one.type, one.name) for one in recording.resources}


def test_children_take_the_providers_that_the_component_was_given(recording: Recording):
    for one in recording.resources:
        if one.custom and one.name.startswith("karpenter"):
            assert provider(one) == {"aws": "aws", "kubernetes": "kubernetes"}[one.type.split(":")[0]]


def provider(resource: Declared) -> str:
    return resource.provider.split("::")[-2]


def test_components_say_their_outputs(recording: Recording):
    components: Mapping[str, Any] = {one.name: one.closed for one in recording.resources if not one.custom}
    assert components == {"karpenter": True, "karpenter-interruptions": True}
