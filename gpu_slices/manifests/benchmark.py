"""The benchmark's objects, step by step in the order in which each must be there, or done, before the next.

One server, then what is measured with it alone; the others, each after the one before it; then what is measured with
all. A server sizes its memory by what is free when it starts, so the order is part of the experiment.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any, Final

from ..benchmark_plan import READY_S, BenchmarkPlan, Block, plan_benchmark
from ..images import pinned
from ..naming import MANAGED_BY_LABELS, content_name
from ..node_groups import SYSTEM_LABEL
from ..plan import Plan
from ..versions import PYTHON_IMAGE
from .model_servers import (
    CONTAINER_SECURITY,
    START_MINUTES,
    benchmark_object,
    gpu_place,
    part_labels,
    server_deployment,
    server_pod,
    server_service,
)
from .namespace import namespace

VISIT_NAME: Final = "visit"
_CLIENT_FOLDER: Final = "/bench/client"
_CAMPAIGN_FOLDER: Final = "/bench/campaign"
_VISIT_MINUTES: Final = 10
#: For Pulumi beyond a Job's own deadline, so that the deadline is what ends it.
_SPARE_MINUTES: Final = 5
#: A Job that failed is made again by the next `up` instead of being waited for (pulumi-kubernetes).
_AGAIN: Final = {"pulumi.com/replaceUnready": "true"}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One object. `minutes`: the most it may take until it is ready or done.

    `experiment`: it is part of the experiment, which starts anew from the first server whenever any of it changes.
    """

    word: str
    manifest: Mapping[str, Any]
    minutes: int = 10
    experiment: bool = True


def benchmark_objects(plan: Plan) -> list[Mapping[str, Any]]:
    """The objects of a stack's benchmark; none where it asks for none."""
    benchmark = plan_benchmark(plan.settings, plan.pools)
    return [step.manifest for step in benchmark_steps(benchmark)] if benchmark else []


def benchmark_steps(plan: BenchmarkPlan) -> tuple[Step, ...]:
    """Every object, each to be made once the one before it is ready or done."""
    steps = _steps(plan, campaign_of(plan))
    return tuple(replace(step, manifest=pinned(step.manifest, plan.digests)) for step in steps)


def campaign_of(plan: BenchmarkPlan) -> str:
    """What tells this experiment from one with other settings: a hash of all that could change a figure.

    The number of slices that the pool advertises is not in it: a slice edit repeats no measurement.
    """
    pods = [pinned(server_pod(plan, server, ""), plan.digests) for server in plan.servers]
    content = json.dumps([pods, client_files(), campaign_files(plan), PYTHON_IMAGE], sort_keys=True)
    return content_name("campaign", content).removeprefix("campaign-")


def client_files() -> dict[str, str]:
    """The load client's modules by file name, as they lie flat in one folder."""
    folder = resources.files("gpu_slices.bench.client")
    return {file.name: file.read_text() for file in _sorted(folder) if file.name.endswith(".py")}


def campaign_files(plan: BenchmarkPlan) -> dict[str, str]:
    """What is run beside the client's modules, and every block's plan as JSON."""
    folder = resources.files("gpu_slices.manifests") / "benchmark_files"
    scripts = {file.name: file.read_text() for file in _sorted(folder) if file.name.endswith((".py", ".sh"))}
    return {**scripts, **{f"{block.name}.json": json.dumps(block.plan, indent=1) for block in plan.blocks}}


def _sorted(folder: Any) -> list[Any]:
    return sorted(folder.iterdir(), key=lambda file: file.name)


def _steps(plan: BenchmarkPlan, campaign: str) -> Iterator[Step]:
    home = plan.settings.namespace
    yield Step(word="namespace", manifest=namespace(home, "baseline"), experiment=False)
    client = _config_map(plan, "load-client", client_files())
    files = _config_map(plan, "campaign", campaign_files(plan))
    for manifest in (client, files):
        yield Step(word=manifest["metadata"]["name"], manifest=manifest, experiment=False)
    jobs = _Jobs(plan=plan, campaign=campaign, client=client["metadata"]["name"], files=files["metadata"]["name"])
    yield from _server(plan, 0, campaign)
    yield from jobs.blocks("fresh")
    if plan.visited:
        yield jobs.visit()
    yield from jobs.blocks("alone")
    for index in range(1, len(plan.servers)):
        yield from _server(plan, index, campaign)
    yield from jobs.blocks("together")


def _server(plan: BenchmarkPlan, index: int, campaign: str) -> Iterator[Step]:
    """The Deployment first: Pulumi takes a Service for ready once a pod answers behind it."""
    server = plan.servers[index]
    deployment = server_deployment(plan, server, campaign)
    yield Step(word=f"server-{server.name}", manifest=deployment, minutes=START_MINUTES + _SPARE_MINUTES)
    yield Step(word=f"service-{server.name}", manifest=server_service(plan, server, campaign))


def _config_map(plan: BenchmarkPlan, prefix: str, data: Mapping[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": content_name(prefix, json.dumps(data, sort_keys=True)),
            "namespace": plan.settings.namespace,
            "labels": dict(MANAGED_BY_LABELS),
        },
        "data": dict(data),
    }


@dataclass(frozen=True, kw_only=True)
class _Jobs:
    """The Jobs of one campaign; `client` and `files` are the config maps that they mount."""

    plan: BenchmarkPlan
    campaign: str
    client: str
    files: str

    def blocks(self, phase: str) -> Iterator[Step]:
        """The load client once for each repeat: kubelet keeps little of a log, and a failed repeat is one Job."""
        for block in self.plan.of_phase(phase):
            yield self._step(block.name, "client", self._client_pod(block), block.limit_s)

    def visit(self) -> Step:
        """A process that comes to the first server's GPU and goes."""
        container = self._container("visitor", ["python", f"{_CAMPAIGN_FOLDER}/visit_gpu.py"], {"cpu": "100m"})
        container["resources"]["limits"] = {self.plan.pool.resource: "1"}
        pod = {**gpu_place(self.plan, self.campaign, beside_first=True), **self._pod(container)}
        return self._step(VISIT_NAME, "visitor", pod, _VISIT_MINUTES * 60)

    def _client_pod(self, block: Block) -> dict[str, Any]:
        command = ["sh", f"{_CAMPAIGN_FOLDER}/run_client.sh", block.name, str(READY_S)]
        container = self._container("client", command, {"cpu": "1", "memory": "1Gi"})
        return {"nodeSelector": {SYSTEM_LABEL: "system"}, **self._pod(container)}

    def _container(self, name: str, command: list[str], requests: Mapping[str, str]) -> dict[str, Any]:
        return {
            "name": name,
            "image": PYTHON_IMAGE,
            "command": command,
            "workingDir": "/bench",
            "env": [{"name": "PYTHONDONTWRITEBYTECODE", "value": "1"}],
            "resources": {"requests": dict(requests)},
            "securityContext": {**CONTAINER_SECURITY, "readOnlyRootFilesystem": True},
            "volumeMounts": [
                {"name": "campaign", "mountPath": _CAMPAIGN_FOLDER, "readOnly": True},
                {"name": "client", "mountPath": _CLIENT_FOLDER, "readOnly": True},
                {"name": "scratch", "mountPath": "/tmp"},
            ],
        }

    def _pod(self, container: dict[str, Any]) -> dict[str, Any]:
        return {
            "restartPolicy": "Never",
            "enableServiceLinks": False,
            "automountServiceAccountToken": False,
            "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532},
            "containers": [container],
            "volumes": [
                {"name": "campaign", "configMap": {"name": self.files}},
                {"name": "client", "configMap": {"name": self.client}},
                {"name": "scratch", "emptyDir": {}},
            ],
        }

    def _step(self, name: str, part: str, pod: Mapping[str, Any], limit_s: int) -> Step:
        labels = part_labels(part, name, self.campaign)
        spec = {
            "backoffLimit": 0,
            "activeDeadlineSeconds": limit_s,
            "template": {
                "metadata": {
                    "labels": {**MANAGED_BY_LABELS, **labels},
                    "annotations": {"karpenter.sh/do-not-disrupt": "true"},
                },
                "spec": pod,
            },
        }
        manifest = benchmark_object("batch/v1", "Job", name, self.plan, labels, spec, _AGAIN)
        return Step(word=f"job-{name}", manifest=manifest, minutes=limit_s // 60 + 1 + _SPARE_MINUTES)
