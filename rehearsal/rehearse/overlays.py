"""NodeOverlays on the API server: whether Karpenter takes them, and a while without them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from rehearsal.cluster.doubles.kubelet import condition
from rehearsal.cluster.http_api import APPLY, MERGE, Api
from rehearsal.kubernetes.cluster_store import FIELD_MANAGER
from rehearsal.rehearse.burst import wait

OVERLAYS: Final = "/apis/karpenter.sh/v1alpha1/nodeoverlays"
NODE_POOLS: Final = "/apis/karpenter.sh/v1/nodepools"
_READY_SECONDS: Final = 20.0


def not_ready(api: Api) -> tuple[str, ...]:
    """Names of overlays that Karpenter does not say are Ready within 20 s."""
    wait(lambda: not _unready(api), _READY_SECONDS)
    return _unready(api)


@contextmanager
def without_overlays(api: Api, node_pools: Sequence[str]) -> Iterator[None]:
    """Takes all overlays away, and the limits of these NodePools, which count slices that Karpenter then knows nothing
    of; puts both back as the program had applied them."""
    overlays = [_applied(one, "karpenter.sh/v1alpha1", "NodeOverlay") for one in api.get(OVERLAYS)["items"]]
    pools = [_applied(api.get(f"{NODE_POOLS}/{name}"), "karpenter.sh/v1", "NodePool") for name in node_pools]
    for overlay in overlays:
        api.delete(f"{OVERLAYS}/{overlay['metadata']['name']}")
    for pool in pools:
        api.patch(f"{NODE_POOLS}/{pool['metadata']['name']}", {"spec": {"limits": None}}, content=MERGE)
    try:
        yield
    finally:
        for path, objects in ((OVERLAYS, overlays), (NODE_POOLS, pools)):
            for one in objects:
                _apply(api, f"{path}/{one['metadata']['name']}", one)


def _unready(api: Api) -> tuple[str, ...]:
    items = api.get(OVERLAYS)["items"]
    return tuple(sorted(one["metadata"]["name"] for one in items if condition(one, "Ready") != "True"))


def _applied(stored: Mapping[str, Any], api_version: str, kind: str) -> dict[str, Any]:
    metadata = {key: stored["metadata"][key] for key in ("name", "labels") if key in stored["metadata"]}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": stored["spec"]}


def _apply(api: Api, path: str, body: Mapping[str, Any]) -> None:
    """As the program's own provider, so that its next update conflicts with nobody."""
    api.call("PATCH", path, body, content=APPLY, fieldManager=FIELD_MANAGER, force="true")
