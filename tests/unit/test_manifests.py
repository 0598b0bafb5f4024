"""The Kubernetes objects of a stack."""

from __future__ import annotations

from typing import Any

from gpu_slices.charts import gpu_stack_releases
from tests.support.stacks import objects_of, plan_of


def operator(replicas: int) -> dict[str, Any]:
    return {
        "gpuStack": "gpu-operator",
        "gpuNodeGroups": {"a": {"instanceType": "g6.xlarge", "replicas": replicas}},
        "tenants": {"team": {"slices": 2}},
    }


def config_map(replicas: int) -> Any:
    return next(o for o in objects_of(operator(replicas)) if o["kind"] == "ConfigMap")


def test_the_config_maps_name_follows_its_content_because_the_operator_does_not_watch_the_content():
    assert config_map(4) == config_map(4)
    assert config_map(4)["metadata"]["name"] != config_map(2)["metadata"]["name"]


def test_the_config_maps_name_serves_as_a_pod_volumes_name():
    name = config_map(4)["metadata"]["name"]
    assert len(name) <= 63
    assert "." not in name


def test_the_release_points_at_the_config_map_that_is_applied():
    (release,) = gpu_stack_releases(plan_of(operator(4)))
    assert release.values["devicePlugin"]["config"]["name"] == config_map(4)["metadata"]["name"]
    assert release.values["devicePlugin"]["config"]["default"] in config_map(4)["data"]


def test_a_tenants_namespace_is_restricted_and_the_plugins_own_is_privileged():
    levels = {
        o["metadata"]["name"]: o["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        for o in objects_of(operator(4))
        if o["kind"] == "Namespace"
    }
    assert levels == {"gpu-operator": "privileged", "team": "restricted"}


def test_a_quota_names_requests_because_kubernetes_takes_extended_resources_in_no_other_way():
    quota = next(o for o in objects_of(operator(4)) if o["kind"] == "ResourceQuota")
    assert quota["spec"]["hard"] == {"requests.nvidia.com/gpu": "2"}
