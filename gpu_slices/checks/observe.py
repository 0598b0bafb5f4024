"""Reads a live cluster, a page at a time, into one snapshot. Nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

from ..charts.karpenter import KARPENTER_NAMESPACE
from ..naming import DEVICE_PLUGIN_NAMESPACE, GPU_OPERATOR_NAMESPACE, GPU_PRESENT_LABEL, POOL_LABEL
from . import read_objects as read
from .cluster_api import ClusterApi, RefusedError
from .snapshot import Node, Pod, Snapshot

T = TypeVar("T")

GPU_NAMESPACES: Final = (DEVICE_PLUGIN_NAMESPACE, GPU_OPERATOR_NAMESPACE)
PLATFORM_NAMESPACES: Final = (*GPU_NAMESPACES, KARPENTER_NAMESPACE)
#: Warnings, and what Karpenter writes as normal events when spot capacity is taken back.
_EVENT_REASONS: Final = ("SpotInterrupted", "SpotRebalanceRecommendation", "Disrupted", "Terminating")


def observe(api: ClusterApi, *, events: bool = False) -> Snapshot:
    """The cluster now; `events` are read for diagnoses only. Raises ClusterError where it cannot be read at all."""
    unreadable: dict[str, str] = {}

    def every(part: str, paths: Iterable[str], make: Callable[[Mapping[str, Any]], T], **query: str) -> tuple[T, ...]:
        try:
            return tuple(make(raw) for path in paths for raw in api.pages(path, **query))
        except RefusedError as error:
            unreadable[part] = str(error)
            return ()

    nodes = tuple(sorted((read.node(raw) for raw in api.pages("/api/v1/nodes")), key=lambda one: one.name))
    gpu_nodes = frozenset(one.name for one in nodes if is_gpu_node(one))
    pods = (read.pod(raw) for raw in api.pages("/api/v1/pods"))
    secrets = every(
        "Helm releases", ["/api/v1/secrets"], lambda raw: {"metadata": raw["metadata"]}, labelSelector="owner=helm"
    )
    return Snapshot(
        nodes=nodes,
        pods=tuple(
            sorted((one for one in pods if _matters(one, gpu_nodes)), key=lambda one: (one.namespace, one.name))
        ),
        workloads=(
            *every("DaemonSets", _in("/apis/apps/v1", "daemonsets"), lambda raw: read.workload(raw, "DaemonSet")),
            *every("Deployments", _in("/apis/apps/v1", "deployments"), lambda raw: read.workload(raw, "Deployment")),
        ),
        config_maps=every("config maps", _in("/api/v1", "configmaps", GPU_NAMESPACES), read.config_map),
        overlays=every("NodeOverlays", ["/apis/karpenter.sh/v1alpha1/nodeoverlays"], read.overlay),
        node_pools=every("NodePools", ["/apis/karpenter.sh/v1/nodepools"], read.node_pool),
        node_claims=every("NodeClaims", ["/apis/karpenter.sh/v1/nodeclaims"], read.node_claim),
        quotas=every("quotas", ["/api/v1/resourcequotas"], read.quota),
        releases=read.releases(secrets),
        events=_events(api, every) if events else (),
        namespaces=frozenset(every("namespaces", ["/api/v1/namespaces"], lambda raw: str(raw["metadata"]["name"]))),
        unreadable=unreadable,
    )


def is_gpu_node(node: Node) -> bool:
    """Whether it is a pool's node, or shows a GPU in any way."""
    labels = node.labels
    return bool(
        labels.get(POOL_LABEL)
        or node.config_key
        or labels.get(GPU_PRESENT_LABEL) == "true"
        or any(name.startswith("nvidia.com/") for name in node.capacity)
    )


def _matters(pod: Pod, gpu_nodes: frozenset[str]) -> bool:
    return pod.node in gpu_nodes or pod.namespace in PLATFORM_NAMESPACES or bool(pod.requests.extended)


def _events(api: ClusterApi, every: Callable[..., tuple[Any, ...]]) -> tuple[Any, ...]:
    path = ["/api/v1/events"]
    warnings = every("events", path, read.event, fieldSelector="type=Warning")
    normal = (
        one
        for reason in _EVENT_REASONS
        for one in every("events", path, read.event, fieldSelector=f"type=Normal,reason={reason}")
    )
    return (*warnings, *normal)


def _in(group: str, kind: str, namespaces: Iterable[str] = PLATFORM_NAMESPACES) -> list[str]:
    return [f"{group}/namespaces/{namespace}/{kind}" for namespace in namespaces]
