"""The sample workloads on a real API server: admitted by the tenant's Pod Security level and by its quota."""

from __future__ import annotations

from typing import Any, Final

import pytest
import yaml

from gpu_slices.manifests.namespace import namespace
from gpu_slices.outputs import pod_snippet
from rehearsal.cluster.control_plane import ControlPlane
from tests.cluster.waiting import eventually
from tests.support.stacks import objects_of, plan_of

pytestmark = pytest.mark.cluster

TENANT: Final = "team"
PODS: Final = {"cifar10": 3, "cuda": 1, "smoke": 2, "tensorflow": 2}
PATHS: Final = {
    "Namespace": "/api/v1/namespaces",
    "ResourceQuota": f"/api/v1/namespaces/{TENANT}/resourcequotas",
    "LimitRange": f"/api/v1/namespaces/{TENANT}/limitranges",
    "NetworkPolicy": f"/apis/networking.k8s.io/v1/namespaces/{TENANT}/networkpolicies",
    "Role": f"/apis/rbac.authorization.k8s.io/v1/namespaces/{TENANT}/roles",
    "RoleBinding": f"/apis/rbac.authorization.k8s.io/v1/namespaces/{TENANT}/rolebindings",
    "Deployment": f"/apis/apps/v1/namespaces/{TENANT}/deployments",
    "Job": f"/apis/batch/v1/namespaces/{TENANT}/jobs",
    "PodDisruptionBudget": f"/apis/policy/v1/namespaces/{TENANT}/poddisruptionbudgets",
}


def _quota(plane: ControlPlane) -> Any:
    (quota,) = plane.api.get(PATHS["ResourceQuota"])["items"]
    return quota


@pytest.fixture(scope="module")
def pods(plane: ControlPlane) -> list[Any]:
    """The pods that the API server lets the workloads have, under a quota that has not one slice to spare."""
    raw = {
        "gpuNodeGroups": {"a": {"instanceType": "g6e.2xlarge", "replicas": 10}},
        "tenants": {TENANT: {"pools": ["a"], "slices": sum(PODS.values())}},
        "workloads": {name: {"pool": "a", "tenant": TENANT, "pods": count} for name, count in PODS.items()},
    }
    for manifest in objects_of(raw):
        if TENANT in (manifest["metadata"]["name"], manifest["metadata"].get("namespace")):
            plane.api.create(PATHS[manifest["kind"]], manifest)
        if manifest["kind"] == "ResourceQuota":
            eventually(lambda: _quota(plane)["status"].get("used"))
    path = f"/api/v1/namespaces/{TENANT}/pods"
    eventually(lambda: len(plane.api.get(path)["items"]) == sum(PODS.values()))
    return plane.api.get(path)["items"]


def test_every_pod_is_admitted_into_the_restricted_namespace_and_under_the_quota(pods: list[Any]):
    names = [pod["metadata"]["labels"]["gpu-slices/workload"] for pod in pods]
    assert {name: names.count(name) for name in PODS} == PODS


def test_a_limit_of_one_slice_is_a_request_of_one_slice(pods: list[Any]):
    for pod in pods:
        (container,) = pod["spec"]["containers"]
        assert container["resources"]["requests"]["nvidia.com/gpu"] == "1"


def test_no_slice_is_left_to_the_tenant(pods: list[Any], plane: ControlPlane):
    assert _quota(plane)["status"]["used"]["requests.nvidia.com/gpu"] == str(sum(PODS.values()))


def test_the_pod_snippet_of_a_pool_is_one_that_a_tenants_namespace_admits(plane: ControlPlane):
    plan = plan_of({"gpuNodeGroups": {"a": {"instanceType": "g6e.2xlarge", "replicas": 10}}})
    plane.api.create("/api/v1/namespaces", namespace("newcomers", "restricted"))
    made = plane.api.create("/api/v1/namespaces/newcomers/pods", yaml.safe_load(pod_snippet(plan.pools[0])))
    assert made["spec"]["containers"][0]["resources"]["requests"]["nvidia.com/gpu"] == "1"
