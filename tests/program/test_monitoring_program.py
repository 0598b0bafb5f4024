"""Monitoring in the whole program: after what it needs, so that destroy finds it first and leaves no volume."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from rehearsal.project import project_program
from rehearsal.recorder import Recording, record
from tests.support.recordings import ADDON, RELEASE, behind

CONFIG_MAP, NAMESPACE = "kubernetes:core/v1:ConfigMap", "kubernetes:core/v1:Namespace"
STORAGE_CLASS = "kubernetes:storage.k8s.io/v1:StorageClass"


@cache
def declared(gpu_stack: str) -> Recording:
    config: dict[str, Any] = {
        "aws:region": "us-west-2",
        "gpu-slices:gpuStack": gpu_stack,
        "gpu-slices:gpuNodeGroups": {"a": {"instanceType": "g6.xlarge", "replicas": 4}},
        "gpu-slices:cluster": {"optionalAddons": ["aws-ebs-csi-driver"]},
        "gpu-slices:monitoring": {"enabled": True, "storage": {}},
    }
    return record(project_program(), stack="test", config=config)


@pytest.mark.parametrize("gpu_stack", ["device-plugin", "gpu-operator"])
def test_its_volume_can_be_made_and_taken_away_while_the_driver_is_there(gpu_stack: str):
    recorded = declared(gpu_stack)
    (release,) = recorded.of(RELEASE, "platform-monitoring-kube-prometheus-stack")
    (driver,) = [one for one in recorded.of(ADDON) if one.inputs["addonName"] == "aws-ebs-csi-driver"]
    (storage_class,) = recorded.of(STORAGE_CLASS)
    assert {driver.urn, storage_class.urn} <= behind(recorded, release)
    claim = release.inputs["values"]["prometheus"]["prometheusSpec"]["storageSpec"]["volumeClaimTemplate"]["spec"]
    assert claim["storageClassName"] == storage_class.inputs["metadata"]["name"]


@pytest.mark.parametrize("gpu_stack", ["device-plugin", "gpu-operator"])
def test_dashboards_and_charts_come_after_their_namespace(gpu_stack: str):
    recorded = declared(gpu_stack)
    (namespace,) = recorded.of(NAMESPACE, "platform-monitoring-namespace")
    inside = [
        one for one in (*recorded.of(CONFIG_MAP), *recorded.of(RELEASE)) if one.name.startswith("platform-monitoring-")
    ]
    assert len(inside) >= 4
    assert all(namespace.urn in behind(recorded, one) for one in inside)
