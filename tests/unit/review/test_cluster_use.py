"""Which pods hold slices, from objects as the API server sends them."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from kubernetes import client

from gpu_slices.review.cluster_use import held_slices, pools_of


def from_json(kind: str, *objects: dict[str, Any]) -> list[Any]:
    """Objects of the official client's own classes."""
    api = client.ApiClient()
    return [api.deserialize(SimpleNamespace(data=json.dumps(one)), kind) for one in objects]


def node(name: str, pool: str) -> dict[str, Any]:
    labels = {"gpu-slices/pool": pool, "node.kubernetes.io/instance-type": "g6.xlarge"}
    return {"metadata": {"name": name, "labels": labels}}


def pod(namespace: str, on: str | None, *gpus: int, phase: str = "Running", init: Any = None) -> dict[str, Any]:
    containers = [{"name": f"c{n}", "resources": {"limits": {"nvidia.com/gpu": str(n)}} if n else {}} for n in gpus]
    spec: dict[str, Any] = {"containers": containers}
    if on:
        spec["nodeName"] = on
    if init:
        spec["initContainers"] = init
    return {"metadata": {"name": "p", "namespace": namespace}, "spec": spec, "status": {"phase": phase}}


def gpu_init(count: int, **more: str) -> dict[str, Any]:
    return {"name": f"i{count}", "resources": {"limits": {"nvidia.com/gpu": str(count)}}, **more}


def test_bound_pods_hold_slices_until_they_have_ended():
    nodes = from_json("V1Node", node("n1", "a"), node("n2", "a"))
    pods = from_json(
        "V1Pod",
        pod("t", "n1", 1),
        pod("t", "n1", 1, 0),
        pod("t", "n1", 1, phase="Pending"),
        pod("t", "n1", 1, phase="Succeeded"),
        pod("t", "n1", 1, phase="Failed"),
        pod("t", None, 1, phase="Pending"),
        pod("t", "elsewhere", 1),
        pod("u", "n1", 0),
        pod("u", "n2", 2),
    )
    assert pools_of(nodes) == {"a": 2}
    assert [(row.pool, row.node, row.tenant, row.instance_type, row.held) for row in held_slices(nodes, pods)] == [
        ("a", "n1", "t", "g6.xlarge", {"nvidia.com/gpu": 3}),
        ("a", "n2", "u", "g6.xlarge", {"nvidia.com/gpu": 2}),
    ]


def test_initialisation_runs_alone_and_sidecars_run_beside():
    nodes = from_json("V1Node", node("n1", "a"))
    pods = from_json(
        "V1Pod",
        pod("alone", "n1", 1, init=[gpu_init(3)]),
        pod("beside", "n1", 1, init=[gpu_init(1, restartPolicy="Always")]),
    )
    assert {row.tenant: row.held["nvidia.com/gpu"] for row in held_slices(nodes, pods)} == {"alone": 3, "beside": 2}
