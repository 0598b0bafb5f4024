"""The NVIDIA devices that a pod asks for."""

from __future__ import annotations

from collections import Counter

from rehearsal.cluster.http_api import Object

DOMAIN = "nvidia.com/"


def slices(pod: Object) -> int:
    """How many NVIDIA devices a pod's containers ask for together."""
    return sum(requests(pod).values())


def requests(pod: Object) -> Counter[str]:
    """NVIDIA resource name → how many of it a pod's containers ask for together."""
    limits = ((one.get("resources") or {}).get("limits") or {} for one in pod["spec"].get("containers") or [])
    return sum(
        (Counter({name: int(count)}) for one in limits for name, count in one.items() if name.startswith(DOMAIN)),
        Counter[str](),
    )
