"""A pretended API server after a benchmark's `up`: pods, Jobs and logs as Kubernetes shows them, and what a test bends."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from gpu_slices.benchmark_plan import BenchmarkPlan, Block
from gpu_slices.checks.cluster_api import RefusedError
from gpu_slices.manifests.benchmark import benchmark_steps
from gpu_slices.naming import BENCHMARK_PART_LABEL
from tests.support.benchmark_records import run_record

UUID = "GPU-7f3b2a10-0000-4000-8000-000000000001"
GPU = f"{UUID}, NVIDIA L40S, 580.95.05, 46068 MiB"
ALONE_GAP_S, SHARED_GAP_S = 0.01, 0.021
CACHE = "INFO GPU KV cache size: 32,768 tokens"


def packed(records: list[dict[str, Any]]) -> str:
    """A client's log: progress, then the records as `run_client.sh` prints them."""
    data = gzip.compress("".join(json.dumps(record) + "\n" for record in records).encode())
    digest = hashlib.sha256(data).hexdigest()
    text = base64.encodebytes(data).decode()
    return f"[1/1] exclusive: ok\n-----BEGIN RECORDS-----\n{text}-----END RECORDS {digest}-----\n"


def at(minute: int) -> str:
    """A time of the experiment."""
    return f"2026-11-20T10:{minute:02d}:00Z"


@dataclass
class PretendedCluster:
    """What the API answers; tests change `pods`, `jobs` and `logs`, by name and by (name, container)."""

    pods: dict[str, dict[str, Any]] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    logs: dict[tuple[str, str], str] = field(default_factory=dict)

    def pages(self, path: str, **query: str | int) -> Iterator[dict[str, Any]]:
        """A list of one namespace with a label."""
        found = self.jobs if path.endswith("/jobs") else self.pods
        namespace = path.split("/namespaces/")[1].split("/")[0]
        for item in found.values():
            metadata = item["metadata"]
            if metadata["namespace"] == namespace and query["labelSelector"] in metadata["labels"]:
                yield item

    def text(self, path: str, **query: str | int) -> str:
        """A container's log; refused as the kubelet refuses one that has not started."""
        key = (path.split("/pods/")[1].removesuffix("/log"), str(query["container"]))
        if key not in self.logs:
            raise RefusedError(400, f"container {key[1]} in pod {key[0]} is waiting to start")
        return self.logs[key]


def cluster_after(plan: BenchmarkPlan) -> PretendedCluster:
    """Everything went as it should: each step began a minute after the one before it ended, and took one."""
    cluster, minute = PretendedCluster(), 0
    blocks = {block.name: block for block in plan.blocks}
    for step in benchmark_steps(plan):
        kind, name = step.manifest["kind"], step.manifest["metadata"]["name"]
        if kind == "Deployment":
            _server(cluster, step.manifest, minute)
        elif kind == "Job":
            _job(cluster, step.manifest, minute, blocks.get(name))
        minute += 2
    return cluster


def records_of(block: Block) -> list[dict[str, Any]]:
    """Sound records of a block: two models that share a GPU progress at somewhat less than half their speed."""
    records: list[dict[str, Any]] = []
    for index, run in enumerate(block.plan["runs"]):
        gap = SHARED_GAP_S if run["condition"] == "shared" else ALONE_GAP_S
        changes = {key: run[key] for key in ("servers", "load", "labels", "drive")}
        record = run_record(run["condition"], dict.fromkeys(run["drive"], gap), repeat=run["repeat"], **changes)
        records.append({**record, "index": index})
    return records


def _server(cluster: PretendedCluster, deployment: Any, minute: int) -> None:
    name, pod = deployment["metadata"]["name"], f"{deployment['metadata']['name']}-5d8f-x2v7k"
    running = {"name": "server", "started": True, "restartCount": 0, "state": {"running": {"startedAt": at(minute)}}}
    cluster.pods[name] = _pod(deployment, pod, minute, {"phase": "Running", "containerStatuses": [running]})
    cluster.logs[pod, "gpu"] = f"{GPU}\n"
    cluster.logs[pod, "server"] = f"{CACHE}\n"


def _job(cluster: PretendedCluster, job: Any, minute: int, block: Block | None) -> None:
    name, pod = job["metadata"]["name"], f"{job['metadata']['name']}-9xk2p"
    status = {
        "startTime": at(minute),
        "completionTime": at(minute + 1),
        "conditions": [{"type": "Complete", "status": "True"}],
    }
    cluster.jobs[name] = {"metadata": {**job["metadata"], "creationTimestamp": at(minute)}, "status": status}
    cluster.pods[name] = _pod(job, pod, minute, {"phase": "Succeeded"})
    if block:
        cluster.logs[pod, "client"] = packed(records_of(block))


def _pod(owner: Any, name: str, minute: int, status: dict[str, Any]) -> dict[str, Any]:
    template = owner["spec"]["template"]["metadata"]
    metadata = {**template, "name": name, "namespace": owner["metadata"]["namespace"], "creationTimestamp": at(minute)}
    assert metadata["labels"][BENCHMARK_PART_LABEL] == owner["metadata"]["name"]
    return {"metadata": metadata, "spec": {"nodeName": "ip-10-0-1-7"}, "status": status}
