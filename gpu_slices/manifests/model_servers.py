"""The benchmark's model servers: what each engine is told, and the pod it runs in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..benchmark_plan import PORT, BenchmarkPlan, ServerPlan
from ..naming import (
    BENCHMARK_LABEL,
    BENCHMARK_PART_LABEL,
    CAMPAIGN_LABEL,
    GPU_TOLERATION,
    MANAGED_BY_LABELS,
    POOL_LABEL,
)
from ..versions import TGI_IMAGE, VLLM_IMAGE

#: A first start pulls an image of more than 10 GiB and a model of more than 10 GiB.
START_MINUTES: Final = 45
#: The container that says which GPU the pod got; `bench collect` reads its log.
GPU_CONTAINER: Final = "gpu"
GPU_FACTS: Final = ("uuid", "name", "driver_version", "memory.total")

_PROBE_SECONDS: Final = 5
#: TGI's default; more requests than that it refuses instead of queueing them.
_TGI_QUEUE: Final = 128
#: bfloat16, which newer models are published in, needs it.
_BFLOAT16: Final = (8, 0)
_SHARED_MEMORY: Final = "1Gi"
CONTAINER_SECURITY: Final[Mapping[str, Any]] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


@dataclass(frozen=True, kw_only=True)
class EngineImage:
    """How an engine is run: its image, its command for one server, its environment, where it keeps models."""

    image: str
    command: Callable[[BenchmarkPlan, ServerPlan], list[str]]
    env: Mapping[str, str]
    cache: str


def _vllm(plan: BenchmarkPlan, server: ServerPlan) -> list[str]:
    """The cache's size is the same under every condition; no prompt is served from another one's cache."""
    words = [
        *("vllm", "serve", server.model.model, "--served-model-name", server.name, "--port", str(PORT)),
        *("--gpu-memory-utilization", f"{server.memory_fraction:g}"),
        *("--kv-cache-memory-bytes", str(server.kv_cache_bytes)),
        *("--max-model-len", str(plan.max_model_len), "--max-num-seqs", str(plan.max_sequences)),
        *("--no-enable-prefix-caching", "--seed", str(plan.settings.seed), "--disable-uvicorn-access-log"),
    ]
    if plan.pool.shapes[0].instance.gpu.compute_capability < _BFLOAT16:
        words += ["--dtype", "float16"]
    return words + _revision(server)


def _tgi(plan: BenchmarkPlan, server: ServerPlan) -> list[str]:
    """Flash models size their cache by `--cuda-memory-fraction` alone; `--max-batch-total-tokens` would be ignored."""
    prompt = plan.max_model_len - plan.settings.output_tokens
    return [
        *("text-generation-launcher", "--model-id", server.model.model, "--hostname", "0.0.0.0", "--port", str(PORT)),
        *("--cuda-memory-fraction", f"{server.memory_fraction:g}"),
        *("--max-input-tokens", str(prompt), "--max-total-tokens", str(plan.max_model_len)),
        *("--max-concurrent-requests", str(max(_TGI_QUEUE, plan.max_sequences)), "--json-output"),
        *_revision(server),
    ]


def _revision(server: ServerPlan) -> list[str]:
    return ["--revision", server.model.revision] if server.model.revision else []


ENGINES: Final[Mapping[str, EngineImage]] = {
    "vllm": EngineImage(
        image=VLLM_IMAGE, command=_vllm, env={"HF_HOME": "/models", "VLLM_CACHE_ROOT": "/models/vllm"}, cache="/models"
    ),
    "tgi": EngineImage(
        image=TGI_IMAGE, command=_tgi, env={"HUGGINGFACE_HUB_CACHE": "/data", "PREFIX_CACHING": "0"}, cache="/data"
    ),
}


def server_labels(server: ServerPlan, campaign: str) -> dict[str, str]:
    """Labels of a server's pod, by which its Service and `bench collect` find it."""
    return part_labels("server", server.name, campaign)


def part_labels(part: str, name: str, campaign: str) -> dict[str, str]:
    """Labels of any pod of the benchmark; `part` is server, client or visitor."""
    return {BENCHMARK_LABEL: part, BENCHMARK_PART_LABEL: name, CAMPAIGN_LABEL: campaign}


def server_deployment(plan: BenchmarkPlan, server: ServerPlan, campaign: str) -> dict[str, Any]:
    """One server. Its selector carries the campaign and cannot change: other settings mean a new Deployment."""
    labels = server_labels(server, campaign)
    spec = {
        "replicas": 1,
        "strategy": {"type": "Recreate"},
        "progressDeadlineSeconds": START_MINUTES * 60,
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {
                "labels": {**MANAGED_BY_LABELS, **labels},
                "annotations": {"karpenter.sh/do-not-disrupt": "true"},
            },
            "spec": server_pod(plan, server, campaign),
        },
    }
    return benchmark_object("apps/v1", "Deployment", server.name, plan, labels, spec)


def server_service(plan: BenchmarkPlan, server: ServerPlan, campaign: str) -> dict[str, Any]:
    """The name under which the client finds the server."""
    labels = server_labels(server, campaign)
    spec = {"type": "ClusterIP", "selector": labels, "ports": [{"name": "http", "port": PORT, "targetPort": PORT}]}
    return benchmark_object("v1", "Service", server.name, plan, labels, spec)


def server_pod(plan: BenchmarkPlan, server: ServerPlan, campaign: str) -> dict[str, Any]:
    """On the pool's node; every server after the first on the node of the first."""
    engine = ENGINES[plan.settings.engine]
    return {
        **gpu_place(plan, campaign, beside_first=server != plan.servers[0]),
        "enableServiceLinks": False,  # else a Service named vllm would set VLLM_PORT
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 10,
        "initContainers": [
            {
                "name": GPU_CONTAINER,
                "image": engine.image,
                "command": ["nvidia-smi", f"--query-gpu={','.join(GPU_FACTS)}", "--format=csv,noheader"],
                "resources": {"limits": {plan.pool.resource: "1"}},
                "securityContext": dict(CONTAINER_SECURITY),
            }
        ],
        "containers": [_server_container(plan, server, engine)],
        "volumes": [
            {"name": "models", "emptyDir": {}},
            {"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": _SHARED_MEMORY}},
        ],
    }


def _server_container(plan: BenchmarkPlan, server: ServerPlan, engine: EngineImage) -> dict[str, Any]:
    health = {"httpGet": {"path": "/health", "port": PORT}, "periodSeconds": _PROBE_SECONDS, "timeoutSeconds": 5}
    return {
        "name": "server",
        "image": engine.image,
        "command": engine.command(plan, server),
        "env": [*({"name": name, "value": value} for name, value in sorted(engine.env.items())), *_token(plan)],
        "ports": [{"name": "http", "containerPort": PORT}],
        "startupProbe": {**health, "failureThreshold": START_MINUTES * 60 // _PROBE_SECONDS},
        "readinessProbe": dict(health),
        "resources": {
            "requests": {"cpu": plan.pool.pod_requests.cpu, "memory": plan.pool.pod_requests.memory},
            "limits": {plan.pool.resource: "1"},
        },
        "securityContext": dict(CONTAINER_SECURITY),
        "volumeMounts": [
            {"name": "models", "mountPath": engine.cache},
            {"name": "shared-memory", "mountPath": "/dev/shm"},
        ],
    }


def _token(plan: BenchmarkPlan) -> list[dict[str, Any]]:
    name = plan.settings.hugging_face_token_secret
    return [{"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": name, "key": "token"}}}] if name else []


def gpu_place(plan: BenchmarkPlan, campaign: str, *, beside_first: bool) -> dict[str, Any]:
    """The part of a pod that puts it on a node of the pool, and there beside the first server."""
    place: dict[str, Any] = {"nodeSelector": {POOL_LABEL: plan.pool.name}, "tolerations": [dict(GPU_TOLERATION)]}
    if not beside_first:
        return place
    term = {
        "labelSelector": {"matchLabels": server_labels(plan.servers[0], campaign)},
        "topologyKey": "kubernetes.io/hostname",
    }
    return {**place, "affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}


def benchmark_object(
    api_version: str,
    kind: str,
    name: str,
    plan: BenchmarkPlan,
    labels: Mapping[str, str],
    spec: Mapping[str, Any],
    annotations: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """An object in the benchmark's namespace."""
    metadata: dict[str, Any] = {
        "name": name,
        "namespace": plan.settings.namespace,
        "labels": {**MANAGED_BY_LABELS, **labels},
    }
    if annotations:
        metadata["annotations"] = dict(annotations)
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": dict(spec)}
