"""The recording monitor: remembers all, invents as the stand-ins do, refuses what the engine would."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s
import pytest

from rehearsal.recorder import LATER, Recording, record
from tests.support.small_program import CONFIG, small_program

CLUSTER = "aws:eks/cluster:Cluster"


@pytest.fixture(scope="module")
def recording() -> Recording:
    return record(small_program, project="small", config=CONFIG)


def test_a_remote_cluster_shows_the_children_that_the_real_component_makes(recording: Recording):
    inside = {(r.type, r.name) for r in recording.resources if "eks:index:Cluster$" in r.urn}
    assert inside == {
        ("eks:index:ServiceRole", "demo-eksRole"),
        ("aws:iam/role:Role", "demo-eksRole-role"),
        ("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "demo-eksRole-4b490823"),
        (CLUSTER, "demo-eksCluster"),
        ("pulumi:providers:kubernetes", "demo-eks-k8s"),
    }


def test_outputs_of_a_remote_cluster_reach_what_is_built_on_it(recording: Recording):
    (nodes,) = recording.of("aws:eks/nodeGroup:NodeGroup")
    (control_plane,) = recording.of(CLUSTER)
    subnets = {recording.of("aws:ec2/subnet:Subnet", f"net-{zone}")[0].urn for zone in "ab"}
    assert nodes.inputs["clusterName"] == "demo"
    assert nodes.inputs["nodeRoleArn"].startswith("arn:aws:iam::123456789012:role/nodes-")
    assert nodes.ignore_changes == ("scalingConfig.desiredSize",)
    assert subnets <= set(control_plane.dependencies)
    assert recording.outputs["endpoint"].startswith("https://")


def test_children_of_a_component_take_the_provider_that_the_component_was_given(recording: Recording):
    providers = {r.name: r.provider.split("::")[-2] for r in recording.resources if r.type.startswith("aws:")}
    assert set(providers.values()) == {"aws"}


def test_secrets_are_marked_and_masked(recording: Recording):
    (provider,) = recording.of("pulumi:providers:kubernetes", "kubernetes")
    assert provider.secrets == ("kubeconfig",)
    assert recording.outputs["kubeconfig"] == "[secret]"


def test_a_secret_input_stays_secret_as_an_output():
    def program() -> None:
        secret = pulumi.Output.secret("value")
        made = k8s.core.v1.Secret("token", metadata={"name": "token"}, string_data={"key": secret})
        pulumi.export("data", made.string_data)

    assert record(program).outputs == {"data": "[secret]"}


def test_a_preview_knows_nothing_that_only_the_cloud_knows():
    recording = record(small_program, project="small", config=CONFIG, preview=True)
    assert recording.outputs == {"endpoint": LATER, "kubeconfig": "[secret]"}


def test_two_recordings_are_the_same():
    first, second = (record(small_program, project="small", config=CONFIG) for _ in range(2))
    assert [(r.urn, r.inputs) for r in first.resources] == [(r.urn, r.inputs) for r in second.resources]


def test_a_urn_is_refused_a_second_time():
    def program() -> None:
        for _ in range(2):
            aws.cloudwatch.LogGroup("twice")

    with pytest.raises(Exception, match=r"Duplicate resource URN .*::twice"):
        record(program, config={"aws:region": "us-west-2"})


def test_what_the_stand_ins_refuse_is_refused():
    def program() -> None:
        k8s.core.v1.ConfigMap("a", metadata={"labels": {"replicas": "not a label"}})

    with pytest.raises(Exception, match="'not a label' is not a label value"):
        record(program)


def test_messages_are_recorded_and_settings_arrive():
    def program() -> None:
        pulumi.warn(f"replicas is {pulumi.Config().require_int('replicas')}")

    recording = record(program, project="small", config={"small:replicas": 4})
    assert recording.warnings == ("replicas is 4",)


def test_a_component_that_forgets_its_outputs_is_not_closed():
    def program() -> None:
        pulumi.ComponentResource("test:index:Open", "open")
        pulumi.ComponentResource("test:index:Closed", "closed").register_outputs({})

    assert {r.name: r.closed for r in record(program).resources} == {"open": False, "closed": True}


def test_a_program_that_fails_raises_its_own_exception():
    with pytest.raises(ValueError, match="too many slices"):
        record(small_program, project="small", config={**CONFIG, "small:raise": "too many slices"})
