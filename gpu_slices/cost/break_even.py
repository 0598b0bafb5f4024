"""When slices of a shared GPU cost less than GPUs of one's own, at a given occupancy."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..catalogue import Catalogue, InstanceType
from ..pool_plan import NodeShape
from ..settings import Settings
from .prices import gpu_node_price


@dataclass(frozen=True, kw_only=True)
class BreakEven:
    """One shared node against the cheapest GPU of one's own whose memory holds a slice.

    `slices_held` is the fewest slices of the node that pods must hold for sharing to cost no more, None where even a
    full node costs more. Money in USD per hour. It compares money and memory, not speed.
    """

    shared: InstanceType
    slices: int
    shared_usd: float
    dedicated: InstanceType
    dedicated_usd: float
    slices_held: int | None

    @property
    def occupancy(self) -> float | None:
        """The same as a share of the node's slices."""
        return None if self.slices_held is None else self.slices_held / self.slices

    def usd_per_held_slice(self, occupancy: float) -> float:
        """USD per hour for a slice that a pod holds, when pods hold this share (above 0) of the slices."""
        return self.shared_usd / (self.slices * occupancy)

    def saved(self, occupancy: float) -> float:
        """What share of the dedicated price is saved per task; negative where sharing costs more."""
        return 1 - self.usd_per_held_slice(occupancy) / self.dedicated_usd


def break_even(settings: Settings, shape: NodeShape, catalogue: Catalogue) -> BreakEven | None:
    """The break-even of one node of a pool; None where no price is known."""
    shared = gpu_node_price(settings, shape.instance).usd
    dedicated = cheapest_dedicated(settings, shape.gpu_memory_mib_per_slice, catalogue)
    if shared is None or dedicated is None:
        return None
    slices = sum(shape.advertised.values())
    instance, usd = dedicated
    # 2.24208 / 0.526 = 4.26: the fifth slice pays.
    held = math.ceil(round(shared / usd, 9))
    return BreakEven(
        shared=shape.instance,
        slices=slices,
        shared_usd=shared,
        dedicated=instance,
        dedicated_usd=usd,
        slices_held=held if held <= slices else None,
    )


def cheapest_dedicated(settings: Settings, memory_mib: int, catalogue: Catalogue) -> tuple[InstanceType, float] | None:
    """The cheapest one-GPU instance on sale with at least this GPU memory, and its USD per hour."""
    found = [
        (usd, instance.name)
        for instance in catalogue.instances.values()
        if instance.gpu_count == 1 and instance.arch == "amd64" and not instance.retired
        if instance.gpu_memory_mib >= memory_mib and (usd := gpu_node_price(settings, instance).usd) is not None
    ]
    if not found:
        return None
    usd, name = min(found)
    return catalogue.instances[name], usd


def nodes_for(tasks: int, per_node: int) -> int:
    """Nodes for one-slice tasks when a node takes `per_node` of them at once."""
    return math.ceil(tasks / per_node)
