"""The benchmark's objects on a real API server, and what `bench collect` reads there."""

from __future__ import annotations

from typing import Any

import pytest

from gpu_slices.bench.collect import collect
from gpu_slices.benchmark_plan import BenchmarkPlan
from gpu_slices.checks.cluster_api import ClusterApi
from gpu_slices.manifests.benchmark import benchmark_steps
from rehearsal.cluster.control_plane import ControlPlane
from tests.cluster.waiting import eventually
from tests.support.benchmark_settings import planned, settings

pytestmark = pytest.mark.cluster

PATHS = {
    "Namespace": "/api/v1/namespaces",
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "Service": "/api/v1/namespaces/{}/services",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "Job": "/apis/batch/v1/namespaces/{}/jobs",
}


@pytest.fixture(scope="module")
def plan() -> BenchmarkPlan:
    return planned(settings(repeats=1, huggingFaceTokenSecret="hf"))


@pytest.fixture(scope="module")
def applied(plane: ControlPlane, plan: BenchmarkPlan) -> ControlPlane:
    """Everything at once; without nodes no pod of it can run."""
    for step in benchmark_steps(plan):
        path = PATHS[step.manifest["kind"]].format(plan.settings.namespace)
        plane.api.create(path, dict(step.manifest))
    return plane


def pods(plane: ControlPlane, plan: BenchmarkPlan) -> list[Any]:
    return plane.api.get(f"/api/v1/namespaces/{plan.settings.namespace}/pods")["items"]


def test_the_api_server_takes_every_object_and_its_controllers_make_every_pod(
    applied: ControlPlane, plan: BenchmarkPlan
) -> None:
    """Pod Security among what judges them: a pod that it refuses is never made."""
    expected = len(plan.servers) + len(plan.blocks) + plan.visited
    eventually(lambda: len(pods(applied, plan)) == expected)


def test_servers_that_wait_for_a_node_are_no_measurement(applied: ControlPlane, plan: BenchmarkPlan) -> None:
    eventually(lambda: len(pods(applied, plan)) == len(plan.servers) + len(plan.blocks) + plan.visited)
    records, problems = collect(ClusterApi(kubeconfig=applied.kubeconfig), "test", plan)
    assert [record["kind"] for record in records] == ["environment"]
    assert "server phi-1 does not run" in problems
    assert "Job together-0: running" in problems
