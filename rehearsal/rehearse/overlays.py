"""NodeOverlays on the API server: whether Karpenter takes them, and a cluster that loses them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rehearsal.cluster.doubles.kubelet import condition
from rehearsal.cluster.http_api import MERGE, Api
from rehearsal.rehearse.burst import wait

OVERLAYS: Final = "/apis/karpenter.sh/v1alpha1/nodeoverlays"
NODE_POOLS: Final = "/apis/karpenter.sh/v1/nodepools"
_READY_SECONDS: Final = 20.0


def not_ready(api: Api) -> tuple[str, ...]:
    """Names of overlays that Karpenter does not say are Ready within 20 s."""
    wait(lambda: not _unready(api), _READY_SECONDS)
    return _unready(api)


def remove_overlays(api: Api, node_pools: Sequence[str]) -> None:
    """Takes all overlays away, and the limits of these NodePools, which count slices that Karpenter then knows nothing
    of."""
    for overlay in api.get(OVERLAYS)["items"]:
        api.delete(f"{OVERLAYS}/{overlay['metadata']['name']}")
    for name in node_pools:
        api.patch(f"{NODE_POOLS}/{name}", {"spec": {"limits": None}}, content=MERGE)


def _unready(api: Api) -> tuple[str, ...]:
    items = api.get(OVERLAYS)["items"]
    return tuple(sorted(one["metadata"]["name"] for one in items if condition(one, "Ready") != "True"))
