"""`diff --live` against a real API server: who holds slices above the count that an edit leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from gpu_slices.cli.main import main
from rehearsal.cluster.control_plane import ControlPlane
from tests.cluster.platform_objects import pod

pytestmark = pytest.mark.cluster

STACK = """
config:
  aws:region: us-west-2
  gpu-slices:replicas: 4
  gpu-slices:gpuNodeGroups:
    shared: {instanceType: g6.xlarge, max: 2}
"""


def node(name: str) -> dict[str, Any]:
    labels = {"gpu-slices/pool": "shared", "node.kubernetes.io/instance-type": "g6.xlarge"}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}


def bound(name: str, to: str) -> dict[str, Any]:
    body = pod(name)
    return {**body, "spec": {**body["spec"], "nodeName": to}}


@pytest.fixture(scope="module")
def held(plane: ControlPlane) -> ControlPlane:
    """Two nodes; three pods of one team and one of another on the first, one on the second."""
    for name in ("first", "second"):
        plane.api.create("/api/v1/nodes", node(name))
    for team in ("team-a", "team-b"):
        plane.api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": team}})
    for team, name, to in (
        ("team-a", "one", "first"),
        ("team-a", "two", "first"),
        ("team-a", "three", "first"),
        ("team-b", "four", "first"),
        ("team-b", "five", "second"),
    ):
        plane.api.create(f"/api/v1/namespaces/{team}/pods", bound(name, to))
    return plane


def live(held: ControlPlane, file: Path, replicas: int, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    arguments = ["--file", str(file), "--set", f"replicas={replicas}", "--live", "--kubeconfig", str(held.kubeconfig)]
    assert main(["diff", *arguments, "--format", "json"]) == 0
    (stack,) = json.loads(capsys.readouterr().out)["stacks"]
    return stack


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "Pulumi.live.yaml"
    path.write_text(STACK)
    return path


def test_pods_above_the_new_count_are_counted_by_tenant(
    held: ControlPlane, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = live(held, file, 2, capsys)
    (use,) = stack["live"]
    assert (use["pool"], use["nodes"], use["held"], use["aboveNewCount"]) == ("shared", 2, 5, 2)
    assert use["byTenant"] == {"team-a": 3, "team-b": 2}
    assert use["onFullNodes"] == {"team-a": 3, "team-b": 1}
    assert any("2 slices are held above the new count today" in risk["message"] for risk in stack["risks"])


def test_a_count_that_everybody_fits_into_is_no_risk(
    held: ControlPlane, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = live(held, file, 8, capsys)
    assert stack["live"][0]["aboveNewCount"] == 0
    assert not any("held above" in risk["message"] for risk in stack["risks"])


def test_credentials_that_the_cluster_refuses_are_one_line(
    held: ControlPlane, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kubeconfig = yaml.safe_load(held.kubeconfig.read_text())
    kubeconfig["users"][0]["user"] = {"token": "nobody"}
    stranger = tmp_path / "kubeconfig"
    stranger.write_text(yaml.safe_dump(kubeconfig))
    arguments = ["--file", str(file), "--set", "replicas=2", "--live", "--kubeconfig", str(stranger)]
    assert main(["diff", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.err.splitlines() == ["--live: the cluster refuses (401 Unauthorized)"]
    assert "replicas 4 → 2" in captured.out
