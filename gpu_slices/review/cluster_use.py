"""Reads from a cluster which pods hold slices: nodes by our pool label, pods by what their containers ask for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..naming import POOL_LABEL
from .live import HeldSlices

_TIMEOUT_SECONDS: Final = 10
_PAGE: Final = 500
_INSTANCE_TYPE: Final = "node.kubernetes.io/instance-type"
#: Extended resources that GPUs are given out as.
_GPU_PREFIX: Final = "nvidia.com/"
#: Pods that hold nothing any more.
_ENDED: Final = frozenset({"Failed", "Succeeded"})


class ClusterUnreachable(Exception):  # noqa: N818 - a state of the world, not a mistake
    """The cluster did not answer; the text is one line for the reader."""


def read_use(*, kubeconfig: str | None = None, context: str | None = None) -> tuple[dict[str, int], list[HeldSlices]]:
    """Pool name → nodes, and who holds slices on them. Reads only. Raises ClusterUnreachable with the reason."""
    from kubernetes import client, config
    from kubernetes.client.exceptions import ApiException
    from kubernetes.config.config_exception import ConfigException
    from urllib3.exceptions import HTTPError

    try:
        settings: Any = client.Configuration()
        config.load_kube_config(config_file=kubeconfig, context=context, client_configuration=settings)
        settings.retries = False
        core = client.CoreV1Api(client.ApiClient(settings))
        nodes = _all(core.list_node, label_selector=POOL_LABEL)
        pods = _all(core.list_pod_for_all_namespaces) if nodes else []
    except ApiException as reason:
        raise ClusterUnreachable(f"--live: the cluster refuses ({reason.status} {reason.reason})") from None
    except (ConfigException, HTTPError, OSError, ValueError) as reason:
        raise ClusterUnreachable(f"--live: no cluster answers ({_line(reason)})") from None
    return pools_of(nodes), held_slices(nodes, pods)


def pools_of(nodes: Iterable[Any]) -> dict[str, int]:
    """Pool name → nodes, sorted."""
    return dict(sorted(Counter(node.metadata.labels[POOL_LABEL] for node in nodes).items()))


def held_slices(nodes: Iterable[Any], pods: Iterable[Any]) -> list[HeldSlices]:
    """What each namespace holds on each node of a pool. A pod holds from when it is bound until it has ended."""
    where = {node.metadata.name: node.metadata.labels for node in nodes}
    held: dict[tuple[str, str], Counter[str]] = {}
    for pod in pods:
        node = pod.spec.node_name
        if node in where and pod.status.phase not in _ENDED and (asked := _asked(pod)):
            held.setdefault((node, pod.metadata.namespace), Counter()).update(asked)
    return [
        HeldSlices(
            pool=where[node][POOL_LABEL],
            node=node,
            instance_type=where[node].get(_INSTANCE_TYPE, ""),
            tenant=tenant,
            held=dict(sorted(resources.items())),
        )
        for (node, tenant), resources in sorted(held.items())
    ]


def _asked(pod: Any) -> Mapping[str, int]:
    """Containers run side by side and add up; each initialisation container runs alone, sidecars excepted."""
    side_by_side: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    for container in pod.spec.containers:
        side_by_side.update(_gpus(container))
    for container in pod.spec.init_containers or ():
        if container.restart_policy == "Always":
            side_by_side.update(_gpus(container))
        else:
            alone |= Counter(_gpus(container))
    return side_by_side | alone


def _gpus(container: Any) -> dict[str, int]:
    limits = (container.resources and container.resources.limits) or {}
    return {name: int(count) for name, count in limits.items() if name.startswith(_GPU_PREFIX)}


def _all(read: Any, **arguments: Any) -> list[Any]:
    """Every page of a list."""
    items: list[Any] = []
    more: str | None = None
    while True:
        page = read(limit=_PAGE, _continue=more, _request_timeout=_TIMEOUT_SECONDS, **arguments)
        items += page.items
        more = page.metadata._continue
        if not more:
            return items


def _line(reason: Exception) -> str:
    text = " ".join(str(reason).split()) or type(reason).__name__
    return text if len(text) <= 160 else f"{text[:159]}…"
