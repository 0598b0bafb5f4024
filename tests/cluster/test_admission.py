"""The API server refuses and completes objects as the one of an EKS cluster does."""

from __future__ import annotations

from typing import Any

import pytest
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

from rehearsal.cluster.control_plane import ControlPlane
from rehearsal.cluster.errors import ApiError
from tests.cluster.platform_objects import GPU, SHARED_GPU, node_class, node_overlay, node_pool, pod, requirement
from tests.cluster.waiting import eventually

pytestmark = pytest.mark.cluster

POOLS = "/apis/karpenter.sh/v1/nodepools"
OVERLAYS = "/apis/karpenter.sh/v1alpha1/nodeoverlays"
CLASSES = "/apis/karpenter.k8s.aws/v1/ec2nodeclasses"


@pytest.fixture(scope="module")
def core(plane: ControlPlane) -> client.CoreV1Api:
    return client.CoreV1Api(config.new_client_from_config(str(plane.kubeconfig)))


def test_karpenter_objects_as_we_write_them_are_accepted(plane: ControlPlane) -> None:
    plane.api.create(CLASSES, node_class())
    plane.api.create(POOLS, node_pool("burst", ("g6.xlarge",)))
    plane.api.create(OVERLAYS, node_overlay("burst", ("g6.xlarge",), {GPU: "10"}))


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        (POOLS, node_pool("a", ("g6.xlarge",), further=(requirement("karpenter.sh/nodepool", "b"),)), "restricted"),
        (POOLS, node_pool("b", ("g6.xlarge",), further=(requirement("karpenter.k8s.aws/nope", "b"),)), "restricted"),
        (OVERLAYS, node_overlay("c", ("g6.xlarge",), {"cpu": "10"}), "restricted"),
        (CLASSES, {**node_class("d"), "spec": {**node_class("d")["spec"], "instanceProfile": "x"}}, "role"),
        (POOLS, {**node_pool("e", ("g6.xlarge",)), "metadata": {"name": "Not-A-Name"}}, "RFC 1123"),
    ],
    ids=["own label", "unknown AWS label", "overlay of cpu", "role and profile", "bad name"],
)
def test_karpenters_rules_refuse_it(plane: ControlPlane, path: str, body: dict[str, Any], words: str) -> None:
    with pytest.raises(ApiError, match=words) as refused:
        plane.api.create(path, body)
    assert refused.value.status == 422


def test_the_node_class_of_a_pool_cannot_change_its_kind(plane: ControlPlane) -> None:
    plane.api.create(POOLS, node_pool("fixed", ("g6.xlarge",)))
    change = {"spec": {"template": {"spec": {"nodeClassRef": {"kind": "KWOKNodeClass"}}}}}
    with pytest.raises(ApiError, match=r"nodeClassRef\.kind is immutable"):
        plane.api.patch(f"{POOLS}/fixed", change, content="application/merge-patch+json")


def test_a_pod_that_asks_for_a_gpu_tolerates_its_taint_by_itself(plane: ControlPlane) -> None:
    made = plane.api.create("/api/v1/namespaces/default/pods", pod("asks-gpu"))
    assert {"key": GPU, "operator": "Exists", "effect": "NoSchedule"} in made["spec"]["tolerations"]


def test_a_pod_that_asks_for_a_renamed_slice_does_not_tolerate_the_gpu_taint(plane: ControlPlane) -> None:
    made = plane.api.create("/api/v1/namespaces/default/pods", pod("asks-shared", SHARED_GPU))
    keys = {toleration["key"] for toleration in made["spec"]["tolerations"]}
    assert SHARED_GPU in keys
    assert GPU not in keys


def test_a_quota_of_ten_slices_refuses_the_eleventh(plane: ControlPlane, core: client.CoreV1Api) -> None:
    core.create_namespace({"metadata": {"name": "tenant"}})
    quota = {"metadata": {"name": "slices"}, "spec": {"hard": {f"requests.{GPU}": "10"}}}
    core.create_namespaced_resource_quota("tenant", quota)
    for index in range(10):
        core.create_namespaced_pod("tenant", pod(f"slice-{index}"))
    with pytest.raises(
        ApiException, match=r"exceeded quota: slices, requested: requests\.nvidia\.com/gpu=1"
    ) as refused:
        core.create_namespaced_pod("tenant", pod("slice-10"))
    assert refused.value.status == 403


def test_a_restricted_namespace_refuses_a_privileged_pod(plane: ControlPlane, core: client.CoreV1Api) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    core.create_namespace({"metadata": {"name": "restricted", "labels": labels}})
    with pytest.raises(ApiException, match="violates PodSecurity"):
        core.create_namespaced_pod("restricted", pod("privileged"))


def test_a_limit_range_fills_in_requests(plane: ControlPlane, core: client.CoreV1Api) -> None:
    core.create_namespace({"metadata": {"name": "ranged"}})
    limits = {"limits": [{"type": "Container", "defaultRequest": {"ephemeral-storage": "1Gi"}}]}
    core.create_namespaced_limit_range("ranged", {"metadata": {"name": "range"}, "spec": limits})
    made = core.create_namespaced_pod("ranged", pod("filled"))
    assert made.spec.containers[0].resources.requests["ephemeral-storage"] == "1Gi"


def test_a_cel_policy_refuses_what_it_says(plane: ControlPlane) -> None:
    group = "/apis/admissionregistration.k8s.io/v1"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
    spec = {
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": "object.metadata.name != 'forbidden'", "message": "not this one"}],
    }
    plane.api.create(f"{group}/validatingadmissionpolicies", {"metadata": {"name": "names"}, "spec": spec})
    binding = {"metadata": {"name": "names"}, "spec": {"policyName": "names", "validationActions": ["Deny"]}}
    plane.api.create(f"{group}/validatingadmissionpolicybindings", binding)

    def refused() -> bool:
        try:
            plane.api.create("/api/v1/namespaces/default/configmaps?dryRun=All", {"metadata": {"name": "forbidden"}})
        except ApiError as error:
            return "not this one" in str(error)
        return False

    eventually(refused)
