"""Which GPUs or MIG instances a pod got: the device plugin's choice (internal/rm/allocate.go, distributedAlloc), and the kubelet's memory of it."""

from __future__ import annotations

import threading
import uuid
from collections import Counter

#: GPU ids must be the same every time a node is asked, and different between nodes.
_NAMESPACE = uuid.UUID("6f3a5f0e-8c6b-4f0a-9f5e-2f1f4f6f7a10")


class Devices:
    """Node and resource → pod → the devices of its slices. Threads may share it."""

    def __init__(self) -> None:
        self._given: dict[tuple[str, str], dict[str, tuple[int, ...]]] = {}
        self._lock = threading.Lock()

    def allocate(self, node: str, resource: str, pod: str, *, devices: int, slices: int) -> tuple[int, ...]:
        """Give a pod its slices, each of the device with the fewest given so far; the same answer when asked again."""
        with self._lock:
            here = self._given.setdefault((node, resource), {})
            if pod not in here:
                taken = Counter(index for given in here.values() for index in given)
                chosen: list[int] = []
                for _ in range(slices):
                    index = min(range(devices), key=lambda one: (taken[one], one))
                    taken[index] += 1
                    chosen.append(index)
                here[pod] = tuple(chosen)
            return here[pod]

    def release(self, node: str, pod: str) -> None:
        """Take a pod's slices back."""
        with self._lock:
            for (where, _), given in self._given.items():
                if where == node:
                    given.pop(pod, None)


def gpu_id(node: str, index: int) -> str:
    """A GPU's UUID as nvidia-smi prints it."""
    return f"GPU-{uuid.uuid5(_NAMESPACE, f'{node}/{index}')}"


def listing(node: str, product: str, given: tuple[int, ...]) -> str:
    """What `nvidia-smi -L` prints in a container that was given slices of these GPUs."""
    names = product.replace("-", " ")
    lines = (f"GPU {place}: {names} (UUID: {gpu_id(node, gpu)})" for place, gpu in enumerate(sorted(set(given))))
    return "".join(f"{line}\n" for line in lines)


def instance_listing(node: str, product: str, resource: str, given: tuple[int, ...], *, per_gpu: int) -> str:
    """The same where the devices are MIG instances, `per_gpu` of the resource on each GPU: each below its GPU."""
    text = ""
    for place, index in enumerate(sorted(set(given))):
        own = uuid.uuid5(_NAMESPACE, f"{node}/{resource}/{index}")
        text += listing(node, product, (index // per_gpu,))
        text += f"  MIG {resource.partition('mig-')[2]} Device {place}: (UUID: MIG-{own})\n"
    return text
