"""How many replicas of a model fit a GPU's memory, and what latency that many mean: ideal sharing times measured ε.

Memory is the only limit time-slicing leaves to the user; nothing enforces it. No figure is given beyond the number of
models that was measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gpu_slices.catalogue import InstanceType

from .ideal import saturated_slowdown
from .measured import MeasuredLaw


@dataclass(frozen=True, kw_only=True)
class Slowdown:
    """Latency over latency alone with so many busy models. Bounds are None where that number was not measured."""

    models: int
    ideal: float
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True)
class Advice:
    """One instance type: replicas that its GPU's memory holds, and slowdowns from 1 up to that."""

    instance_type: str
    gpu: str
    gpu_memory_mib: int
    replica_mib: int
    fits: int
    measured_here: bool
    slowdowns: tuple[Slowdown, ...]


def slowdown_at(models: int, busy: float, law: MeasuredLaw) -> Slowdown:
    """What `models` equal models do to each other's latency when each alone keeps the GPU busy that share of time."""
    ideal, bounds = saturated_slowdown(models, busy), law.epsilon_at(models)
    if bounds is None:
        return Slowdown(models=models, ideal=ideal, low=None, high=None)
    return Slowdown(models=models, ideal=ideal, low=ideal * (1 + bounds[0]), high=ideal * (1 + bounds[1]))


def advise(
    types: Sequence[InstanceType], *, model_mib: int, process_mib: int, busy: float, law: MeasuredLaw
) -> list[Advice]:
    """One advice per instance type with whole GPUs, in the given order."""
    replica_mib = model_mib + process_mib
    found: list[Advice] = []
    for instance in types:
        fits = instance.gpu_memory_mib // replica_mib
        counts = sorted({count for count in (1, 2, 3, 4, 6, 8, 10, fits) if 1 <= count <= fits})
        found.append(
            Advice(
                instance_type=instance.name,
                gpu=instance.gpu.label,
                gpu_memory_mib=instance.gpu_memory_mib,
                replica_mib=replica_mib,
                fits=fits,
                measured_here=instance.gpu.label == law.gpu.split()[-1],
                slowdowns=tuple(slowdown_at(count, busy, law) for count in counts),
            )
        )
    return found
