"""What `preflight` sees in a cluster that is to be adopted, on a real API server: clean, and with each thing that clashes."""

from __future__ import annotations

from typing import Any

import pytest

from gpu_slices.adoption.contents import judge_contents, read_contents
from gpu_slices.checks.cluster_api import ClusterApi
from gpu_slices.plan import Plan
from rehearsal.cluster.control_plane import ControlPlane
from tests.support.adoption import ADOPTED, KARPENTER
from tests.support.stacks import plan_of

pytestmark = pytest.mark.cluster

PLAN = plan_of({**ADOPTED, "existingGpuNodes": {"there": {"instanceType": "g6.xlarge", "nodes": 2, "replicas": 4}}})


def said(plane: ControlPlane, plan: Plan = PLAN) -> list[tuple[str, str, str]]:
    """Outcome, subject and cause of everything but what passed."""
    found = judge_contents(read_contents(ClusterApi(kubeconfig=plane.kubeconfig)), plan)
    return [(one.outcome, one.subject, one.cause.name) for one in found if one.cause]


def workload(kind: str, namespace: str, name: str, image: str) -> dict[str, Any]:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": image}]}},
        },
    }


def test_a_cluster_with_what_clashes_is_told_apart_from_one_without(plane: ControlPlane):
    plane.control.join_nodes("theirs", instance_type="g6.xlarge", count=2, labels={}, taints=[])
    lacking = ("warned", "pool there", "nodes-outside")
    assert said(plane) == [lacking]
    plugin = workload(
        "DaemonSet", "kube-system", "nvidia-device-plugin-daemonset", "nvcr.io/nvidia/k8s-device-plugin:v0.19.0"
    )
    plane.api.create("/apis/apps/v1/namespaces/kube-system/daemonsets", plugin)
    assert said(plane) == [("failed", "DaemonSet kube-system/nvidia-device-plugin-daemonset", "eksctl-plugin"), lacking]
    plane.api.delete("/apis/apps/v1/namespaces/kube-system/daemonsets/nvidia-device-plugin-daemonset")
    controller = workload("Deployment", "kube-system", "karpenter", "public.ecr.aws/karpenter/controller:1.14.1")
    plane.api.create("/apis/apps/v1/namespaces/kube-system/deployments", controller)
    assert said(plane) == [lacking], "a stack without Karpenter does not mind one"
    with_karpenter = plan_of({**ADOPTED, **KARPENTER})
    assert said(plane, with_karpenter) == [("failed", "Deployment kube-system/karpenter", "other-karpenter")]


def test_the_labels_that_are_printed_bring_the_nodes_in(plane: ControlPlane):
    (pool,) = [one for one in PLAN.pools if one.existing]
    for name in ("theirs-0", "theirs-1"):
        path = f"/api/v1/nodes/{name}"
        plane.api.patch(path, {"metadata": {"labels": dict(pool.labels)}}, content="application/merge-patch+json")
    assert {cause for _, _, cause in said(plane)} == {"no-taint"}
