"""Which GPU a pod got: the device plugin's choice (internal/rm/allocate.go, distributedAlloc), and the kubelet's memory of it."""

from __future__ import annotations

import threading
import uuid
from collections import Counter

#: GPU ids must be the same every time a node is asked, and different between nodes.
_NAMESPACE = uuid.UUID("6f3a5f0e-8c6b-4f0a-9f5e-2f1f4f6f7a10")


class Devices:
    """Node → pod → the GPUs of its slices. Threads may share it."""

    def __init__(self) -> None:
        self._given: dict[str, dict[str, tuple[int, ...]]] = {}
        self._lock = threading.Lock()

    def allocate(self, node: str, pod: str, *, gpus: int, slices: int) -> tuple[int, ...]:
        """Give a pod its slices, each of the GPU with the fewest given so far; the same answer when asked again."""
        with self._lock:
            here = self._given.setdefault(node, {})
            if pod not in here:
                taken = Counter(index for given in here.values() for index in given)
                chosen: list[int] = []
                for _ in range(slices):
                    index = min(range(gpus), key=lambda one: (taken[one], one))
                    taken[index] += 1
                    chosen.append(index)
                here[pod] = tuple(chosen)
            return here[pod]

    def release(self, node: str, pod: str) -> None:
        """Take a pod's slices back."""
        with self._lock:
            self._given.get(node, {}).pop(pod, None)


def gpu_id(node: str, index: int) -> str:
    """A GPU's UUID as nvidia-smi prints it."""
    return f"GPU-{uuid.uuid5(_NAMESPACE, f'{node}/{index}')}"


def listing(node: str, product: str, given: tuple[int, ...]) -> str:
    """What `nvidia-smi -L` prints in a container that was given slices of these GPUs."""
    names = product.replace("-", " ")
    lines = (f"GPU {place}: {names} (UUID: {gpu_id(node, gpu)})" for place, gpu in enumerate(sorted(set(given))))
    return "".join(f"{line}\n" for line in lines)
