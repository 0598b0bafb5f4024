"""A tenant on a real API server: its quota, its walls, and what its people may do there and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
import yaml
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

from gpu_slices.manifests import objects
from gpu_slices.outputs import pod_snippet
from rehearsal.cluster.control_plane import ControlPlane
from rehearsal.cluster.http_api import Api
from tests.cluster.shipped import REFS
from tests.cluster.waiting import eventually
from tests.support.objects_on_cluster import apply_all, tried
from tests.support.stacks import plan_of

pytestmark = pytest.mark.cluster

GPU: Final = "nvidia.com/gpu"
PLAN: Final = plan_of(
    {
        "gpuNodeGroups": {"a": {"instanceType": "g6e.2xlarge", "replicas": 10}},
        "tenants": {
            "team": {
                "slices": 2,
                "pools": ["a"],
                "egress": [{"cidr": "10.0.0.0/8"}, {"cidr": "0.0.0.0/0", "ports": [443]}],
                "ingressFrom": ["web"],
                "priority": {"value": 100, "preempts": True},
                "principals": ["arn:aws:iam::123456789012:role/Team"],
            },
            "other": {"pools": ["a"], "slices": 3},
        },
    }
)


@pytest.fixture(scope="module")
def api(plane: ControlPlane) -> Api:
    """An API server with both tenants, once their quotas are counted."""
    apply_all(plane.api, [one for one in objects(PLAN, REFS) if one["kind"] != "ConfigMap"])
    for name in ("team", "other"):
        quota = f"/api/v1/namespaces/{name}/resourcequotas/gpu-slices"
        eventually(lambda path=quota: plane.api.get(path).get("status", {}).get("used"))
        account = f"/api/v1/namespaces/{name}/serviceaccounts/default"
        eventually(lambda path=account: plane.api.find(path))
    return plane.api


@pytest.fixture(scope="module")
def member(api: Api, plane: ControlPlane) -> Iterator[client.ApiClient]:
    """The API as somebody sees it whom IAM let in with the group of tenant `team` (EKS adds system:authenticated)."""
    with config.new_client_from_config(str(plane.kubeconfig)) as connection:
        connection.set_default_header("Impersonate-User", "alice")
        connection.set_default_header("Impersonate-Group", PLAN.access[next(iter(PLAN.access))].groups[0])
        yield connection


def one_slice(where: str, name: str, **spec: Any) -> dict[str, Any]:
    made = yaml.safe_load(pod_snippet(PLAN.pools[0]))
    return {**made, "metadata": {"name": name, "namespace": where}, "spec": {**made["spec"], **spec}}


def test_the_slice_after_the_last_is_refused_with_the_quotas_name(api: Api):
    pods = "/api/v1/namespaces/other/pods"
    for index in range(3):
        api.create(pods, one_slice("other", f"p{index}"))
    words = tried(api, one_slice("other", "p3"))
    assert "exceeded quota: gpu-slices, requested: requests.nvidia.com/gpu=1, used: requests.nvidia.com/gpu=3" in words


def test_a_privileged_pod_is_refused_by_pod_security(api: Api):
    pod = one_slice("team", "p")
    pod["spec"]["containers"][0]["securityContext"] = {"privileged": True}
    assert 'violates PodSecurity "restricted:latest": privileged' in tried(api, pod)


def test_a_container_that_asks_for_no_cpu_is_given_the_pools_usual_requests(api: Api):
    pod = one_slice("team", "p")
    pod["spec"]["containers"][0]["resources"] = {"limits": {GPU: 1}}
    made = api.create("/api/v1/namespaces/team/pods?dryRun=All", pod)
    assert made["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "100m", "memory": "512Mi", GPU: "1"}


def test_a_pod_that_names_the_tenants_class_goes_first_and_may_preempt(api: Api):
    made = api.create(
        "/api/v1/namespaces/team/pods?dryRun=All", one_slice("team", "p", priorityClassName="gpu-slices-team")
    )
    assert (made["spec"]["priority"], made["spec"]["preemptionPolicy"]) == (100, "PreemptLowerPriority")


def test_the_walls_are_as_declared(api: Api):
    policies = {
        one["metadata"]["name"]: one["spec"]
        for one in api.get("/apis/networking.k8s.io/v1/namespaces/team/networkpolicies")["items"]
    }
    assert sorted(policies) == ["allow-dns", "allow-egress", "allow-ingress", "allow-same-namespace", "default-deny"]
    assert policies["default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    everywhere, web = policies["allow-egress"]["egress"]
    assert everywhere == {"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}
    assert web["ports"] == [{"port": 443, "protocol": "TCP"}]
    others = api.get("/apis/networking.k8s.io/v1/namespaces/other/networkpolicies")["items"]
    assert sorted(one["metadata"]["name"] for one in others) == ["allow-dns", "allow-same-namespace", "default-deny"]


def test_a_member_works_in_the_namespace(member: client.ApiClient):
    core, apps, batch = client.CoreV1Api(member), client.AppsV1Api(member), client.BatchV1Api(member)
    core.create_namespaced_pod("team", one_slice("team", "mine"))
    assert core.read_namespaced_pod("mine", "team").spec.node_selector == {"gpu-slices/pool": "a"}
    template = {"metadata": {"labels": {"app": "x"}}, "spec": one_slice("team", "x")["spec"]}
    deployment = {"metadata": {"name": "x"}, "spec": {"selector": {"matchLabels": {"app": "x"}}, "template": template}}
    apps.create_namespaced_deployment("team", deployment)
    apps.patch_namespaced_deployment_scale("x", "team", {"spec": {"replicas": 0}})
    job = {"template": {"spec": {**template["spec"], "restartPolicy": "Never"}}}
    batch.create_namespaced_job("team", {"metadata": {"name": "x"}, "spec": job}, dry_run="All")
    core.create_namespaced_config_map("team", {"metadata": {"name": "x"}}, dry_run="All")
    core.create_namespaced_secret("team", {"metadata": {"name": "x"}}, dry_run="All")
    core.create_namespaced_service(
        "team", {"metadata": {"name": "x"}, "spec": {"ports": [{"port": 80}]}}, dry_run="All"
    )
    assert core.read_namespaced_resource_quota("gpu-slices", "team").spec.hard == {"requests.nvidia.com/gpu": "2"}
    assert core.list_namespaced_event("team") is not None
    core.delete_namespaced_pod("mine", "team")
    apps.delete_namespaced_deployment("x", "team")


#: What a member may not do: verb, group, resource, namespace ("" = in all).
FORBIDDEN: Final = [
    ("list", "", "pods", "other"),
    ("create", "", "pods", "other"),
    ("get", "", "secrets", "other"),
    ("create", "", "pods/exec", "other"),
    ("list", "", "pods", ""),
    ("list", "", "nodes", ""),
    ("create", "", "namespaces", ""),
    ("update", "", "namespaces", "team"),
    ("patch", "", "resourcequotas", "team"),
    ("delete", "", "limitranges", "team"),
    ("create", "networking.k8s.io", "networkpolicies", "team"),
    ("delete", "networking.k8s.io", "networkpolicies", "team"),
    ("create", "rbac.authorization.k8s.io", "rolebindings", "team"),
    ("create", "", "serviceaccounts/token", "team"),
    ("impersonate", "", "serviceaccounts", "team"),
    ("create", "apps", "daemonsets", "team"),
    ("delete", "admissionregistration.k8s.io", "validatingadmissionpolicies", ""),
    ("create", "scheduling.k8s.io", "priorityclasses", ""),
    ("patch", "karpenter.sh", "nodepools", ""),
]


@pytest.mark.parametrize(("verb", "group", "resource", "where"), FORBIDDEN)
def test_a_member_does_nothing_elsewhere_and_moves_no_wall(
    member: client.ApiClient, verb: str, group: str, resource: str, where: str
):
    kind, _, part = resource.partition("/")
    asked = {"verb": verb, "group": group, "resource": kind, "subresource": part, "namespace": where}
    review = client.AuthorizationV1Api(member).create_self_subject_access_review(
        {"spec": {"resourceAttributes": asked}}
    )
    assert not review.status.allowed


def test_a_member_is_turned_away_in_another_tenants_namespace(member: client.ApiClient):
    with pytest.raises(ApiException) as refused:
        client.CoreV1Api(member).create_namespaced_pod("other", one_slice("other", "mine"))
    assert refused.value.status == 403
    assert 'in the namespace "other"' in json.loads(refused.value.body)["message"]
