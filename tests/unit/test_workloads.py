"""The sample workloads: that they fit their nodes, keep to their tenant, and say what their images cannot do."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings

from gpu_slices.catalogue import load
from gpu_slices.daemons import gpu_node_daemons
from gpu_slices.outputs import pod_snippet
from gpu_slices.quantities import mebibytes, millicores
from gpu_slices.settings import SettingsError
from gpu_slices.workloads.catalogue import SAMPLES
from gpu_slices.workloads.cuda import cuda_range
from tests.support.stacks import SLICEABLE, karpenter_settings, objects_of, plan_of, raw_settings

POOL = {"instanceType": "g6e.2xlarge", "replicas": 10}


def stack(instance_type: str = "g6e.2xlarge", **workloads: dict[str, Any]) -> dict[str, Any]:
    """A pool `a`, a tenant `team` with ten slices of it, and workloads on it."""
    return {
        "gpuNodeGroups": {"a": {**POOL, "instanceType": instance_type}},
        "tenants": {"team": {"pools": ["a"], "slices": 10}},
        "workloads": {name: {"pool": "a", "tenant": "team", **more} for name, more in workloads.items()},
    }


def applied(kind: str, raw: dict[str, Any]) -> list[Any]:
    return [one for one in objects_of(raw) if one["kind"] == kind]


def pods(raw: dict[str, Any]) -> list[Any]:
    """The pod spec of every workload."""
    return [one["spec"]["template"]["spec"] for kind in ("Deployment", "Job") for one in applied(kind, raw)]


def mistakes(raw: dict[str, Any]) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        plan_of(raw)
    return str(raised.value).splitlines()


def about_workloads(raw: dict[str, Any]) -> list[str]:
    return [str(one) for one in plan_of(raw).warnings if one.path.startswith("workloads")]


ALL = stack(cifar10={"pods": 4}, cuda={}, smoke={}, tensorflow={})


def test_nothing_runs_unless_it_is_configured():
    assert pods({**ALL, "workloads": {}}) == []
    assert len(pods(ALL)) == len(SAMPLES)


def test_every_pod_asks_for_one_slice_of_its_pool_and_tolerates_the_taint():
    for pod in pods(ALL):
        assert pod["nodeSelector"] == {"gpu-slices/pool": "a"}
        assert {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"} in pod["tolerations"]
        assert [one["resources"]["limits"] for one in pod["containers"]] == [{"nvidia.com/gpu": "1"}]


def test_a_renamed_resource_reaches_the_pods():
    raw = {**ALL, "sharing": {"renameResource": True}}
    assert {tuple(pod["containers"][0]["resources"]["limits"]) for pod in pods(raw)} == {("nvidia.com/gpu.shared",)}


def test_a_pod_takes_the_mig_profile_that_its_workload_names_and_else_the_smallest():
    mig = {"strategy": "mig", "mig": {"profiles": {"4g.20gb": 1, "2g.10gb": 1, "1g.5gb": 1}}}
    pool = {"instanceType": "p4d.24xlarge", "sharing": mig}
    raw = {**stack(smoke={"migProfile": "4g.20gb"}, cuda={}), "gpuStack": "gpu-operator", "gpuNodeGroups": {"a": pool}}
    raw["tenants"] = {"team": {"pools": ["a"]}}
    asked = [tuple(pod["containers"][0]["resources"]["limits"]) for pod in pods(raw)]
    assert sorted(asked) == [("nvidia.com/mig-1g.5gb",), ("nvidia.com/mig-4g.20gb",)]


def test_pods_of_an_mps_pool_run_as_its_one_user():
    shared = {"strategy": "mps", "mps": {"runAsUser": 4711}}
    pool = {"instanceType": "g6.xlarge", "replicas": 4, "sharing": shared}
    raw = {**ALL, "gpuNodeGroups": {"a": pool}, "tenants": {"team": {"pools": ["a"]}}}
    assert {pod["securityContext"]["runAsUser"] for pod in pods(raw)} == {4711}
    assert "runAsUser: 4711" in pod_snippet(plan_of(raw).pools[0])


def test_every_pod_is_one_that_pod_security_restricted_admits():
    """The rules of the level as Kubernetes' Pod Security Standards list them."""
    for pod in pods(ALL):
        security = pod["securityContext"]
        assert security["runAsNonRoot"] is True
        assert security["runAsUser"] > 0
        assert security["seccompProfile"]["type"] in ("RuntimeDefault", "Localhost")
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
        assert all("emptyDir" in volume for volume in pod.get("volumes", []))
        for container in pod["containers"]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_images_are_pinned():
    for sample in SAMPLES.values():
        assert re.search(r"[^/]:v?\d+(\.\d+)*[^/]*$", sample.image), sample.image


def test_no_sample_holds_up_an_update():
    objects = [*applied("Deployment", ALL), *applied("Job", ALL)]
    assert {one["metadata"]["annotations"]["pulumi.com/skipAwait"] for one in objects} == {"true"}


def test_a_rollout_needs_no_slice_more_than_the_quota_has():
    for deployment in applied("Deployment", ALL):
        assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}


def test_deployments_of_several_pods_lose_one_at_a_time_and_a_single_pod_can_always_be_drained():
    raw = stack(smoke={"pods": 1}, tensorflow={"pods": 2}, cuda={"pods": 2})
    (budget,) = applied("PodDisruptionBudget", raw)
    deployment = next(one for one in applied("Deployment", raw) if one["metadata"]["name"] == "tensorflow")
    assert budget["spec"] == {"maxUnavailable": 1, "selector": deployment["spec"]["selector"]}
    assert budget["metadata"]["namespace"] == "team"


def test_tensorflow_leaves_room_on_the_card_for_others():
    for name in ("cifar10", "tensorflow"):
        ((pod),) = pods(stack(**{name: {"pods": 2}}))
        assert {"name": "TF_FORCE_GPU_ALLOW_GROWTH", "value": "true"} in pod["containers"][0]["env"]


@given(raw_settings | karpenter_settings)
@settings(deadline=None)  # it makes a plan for every pool
def test_a_node_full_of_sample_pods_has_cpu_and_memory_for_each_of_its_slices(raw: dict[str, Any]):
    names = [*raw.get("gpuNodeGroups", {}), *raw.get("gpuNodePools", {})]
    for name in names:
        workloads = {"smoke": {"pool": name, "tenant": "team", "pods": 1}}
        plan = plan_of({**raw, "tenants": {"team": {"pools": [name], "slices": 1}}, "workloads": workloads})
        (workload,) = plan.workloads
        pool = next(pool for pool in plan.pools if pool.name == name)
        daemons = gpu_node_daemons(plan.settings, pool.strategy)
        assert workload.millicpu <= millicores(pool.pod_requests.cpu)
        assert workload.mebibytes <= mebibytes(pool.pod_requests.memory)
        for shape in pool.shapes:
            most = min(shape.bounds.slices, shape.bounds.pods)
            taken = sum(daemon.millicpu for daemon in daemons), sum(daemon.mebibytes for daemon in daemons)
            assert taken[0] + most * workload.millicpu <= shape.instance.allocatable_millicpu
            assert taken[1] + most * workload.mebibytes <= shape.instance.allocatable_mib


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            {"workloads": {"smoke": {"pool": "b", "tenant": "team"}}},
            "workloads.smoke.pool: there is no GPU pool 'b'; write one of: a",
        ),
        (
            {"workloads": {"smoke": {"pool": "a", "tenant": "teem"}}},
            "workloads.smoke.tenant: there is no tenant 'teem'; did you mean \"team\"?",
        ),
        (
            {"workloads": {"smok": {"pool": "a", "tenant": "team"}}},
            "workloads.smok: there is no sample workload 'smok'; did you mean \"smoke\"?",
        ),
        (
            {"workloads": {"smoke": {"pool": "a", "tenant": "team", "pods": 0}}},
            "workloads.smoke.pods: 0 is too small; write at least 1",
        ),
        ({"workloads": {"smoke": {"tenant": "team"}}}, "workloads.smoke.pool: is missing; write it"),
        (
            {"workloads": {"smoke": {"pool": "a", "tenant": "team", "pods": 11}}},
            "workloads.smoke.pods: the tenant team may hold 10 slices, its workloads have 11 pods (smoke 11); "
            "write fewer pods, or tenants.team.slices: 11",
        ),
        (
            {"gpuNodeGroups": {"a": POOL, "b": POOL}, "workloads": {"smoke": {"pool": "b", "tenant": "team"}}},
            "workloads.smoke.pool: b is no pool of the tenant team; write one of: a; or add it to tenants.team.pools",
        ),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_write(change: dict[str, Any], line: str):
    assert mistakes({**stack(), **change}) == [line]


def test_the_quota_counts_all_workloads_of_a_tenant_together():
    lines = mistakes(stack(smoke={"pods": 6}, tensorflow={"pods": 6}))
    assert [line.split(":")[0] for line in lines] == ["workloads.smoke.pods", "workloads.tensorflow.pods"]
    assert all("12 pods (smoke 6 + tensorflow 6)" in line for line in lines)


def test_an_image_older_than_the_gpu_is_a_warning():
    (warning,) = about_workloads(stack("p6-b200.48xlarge", cifar10={"pods": 2}))
    assert warning == (
        "workloads.cifar10.pool: public.ecr.aws/r5m2h0c9/cifar10_cnn:v2 carries CUDA 11.8; "
        "B200 needs CUDA 12.8 or newer"
    )


@pytest.mark.parametrize("instance_type", ["p3.8xlarge", "g6e.2xlarge", "p5.48xlarge"])
def test_the_samples_know_the_gpus_that_the_guides_use(instance_type: str):
    assert about_workloads(stack(instance_type, cifar10={"pods": 4}, cuda={}, smoke={}, tensorflow={})) == []


def test_pods_that_no_node_can_hold_are_a_warning():
    assert about_workloads(stack(smoke={"pods": 10})) == []
    raw = stack(smoke={"pods": 11}) | {"tenants": {"team": {}}}
    assert about_workloads(raw) == ["workloads.smoke.pods: 11 pods, but a holds 10 at once: the others stay pending"]


@pytest.mark.parametrize(
    ("gpu", "knows", "knows_not"),
    [
        ("v100", [(11, 8), (12, 9)], [(13, 0)]),
        ("l40s", [(11, 8), (13, 0)], [(11, 7)]),
        ("h100", [(11, 8), (12, 3)], [(11, 0)]),
        ("b200", [(12, 8), (13, 0)], [(12, 3)]),
    ],
)
def test_a_gpu_is_known_from_one_cuda_version_on_and_v100_until_12(gpu: str, knows: Any, knows_not: Any):
    known = cuda_range(load().gpus[gpu])
    assert all(known.holds(version) for version in knows)
    assert not any(known.holds(version) for version in knows_not)


def test_every_gpu_that_can_be_shared_is_in_the_table_of_cuda_versions():
    assert [name for name in SLICEABLE if not cuda_range(load().instances[name].gpu)] == []
