"""How many slices a node advertises, and how many of them pods can really use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .catalogue import InstanceType
from .daemons import Daemon


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Most one-slice pods that one node holds, by what runs out; the smallest binds."""

    slices: int
    pods: int
    cpu: int
    memory: int

    @property
    def usable(self) -> int:
        """Usable slices."""
        return max(0, min(self.slices, self.pods, self.cpu, self.memory))

    @property
    def short_of(self) -> tuple[str, ...]:
        """What runs out before the slices do: pods, CPU, memory, in this order."""
        limits = {"pods": self.pods, "CPU": self.cpu, "memory": self.memory}
        return tuple(name for name, most in limits.items() if most < self.slices)


def bounds(instance: InstanceType, slices: int, daemons: Sequence[Daemon], pod_millicpu: int, pod_mib: int) -> Bounds:
    """Bounds of one node: its slices against its pods, CPU and memory less what its DaemonSets take.

    `pod_millicpu` and `pod_mib` are the requests of the pod that holds one slice; 0 means it asks for nothing.
    """
    cpu_left, memory_left = left_for_pods(instance, daemons)
    return Bounds(
        slices=slices,
        pods=instance.pods - len(daemons),
        cpu=cpu_left // pod_millicpu if pod_millicpu else slices,
        memory=memory_left // pod_mib if pod_mib else slices,
    )


def left_for_pods(instance: InstanceType, daemons: Sequence[Daemon]) -> tuple[int, int]:
    """CPU in millicores and memory in MiB of one node, less what its DaemonSets take."""
    return (
        instance.allocatable_millicpu - sum(daemon.millicpu for daemon in daemons),
        instance.allocatable_mib - sum(daemon.mebibytes for daemon in daemons),
    )
