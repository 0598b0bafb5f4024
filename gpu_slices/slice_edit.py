"""What an edit of a pool's slices does to its nodes and the pods on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from .settings.sharing import Strategy

Effect = Literal["restart", "disrupt", "replace"]


@dataclass(frozen=True, kw_only=True)
class SliceEdit:
    """What an edit of the slices does to a pool, and why."""

    effect: Effect
    reason: str


RESTART: Final = SliceEdit(
    effect="restart",
    reason="the device plugin restarts with the new count; nodes, node groups and running pods stay",
)
#: k8s-device-plugin#669: CUDA clients end with error 806 when their MPS server does.
MPS_RESTARTS: Final = SliceEdit(
    effect="disrupt",
    reason="the MPS daemons restart with the new count: running pods lose their CUDA context and must be restarted",
)
MIG_REPARTITIONS: Final = SliceEdit(
    effect="disrupt",
    reason="a new layout re-partitions the GPUs of running nodes, which fails where a pod holds an instance: drain "
    "them first (replicas alone: the device plugin restarts)",
)
MIG_REPLACES: Final = SliceEdit(
    effect="replace",
    reason="a new layout drifts the nodes: Karpenter replaces them within the pool's budgets (replicas alone: the "
    "device plugin restarts)",
)


def slice_edit(strategy: Strategy, *, shared: bool, launched: bool) -> SliceEdit:
    """`shared`: more than one slice per GPU or MIG instance; `launched`: the nodes are Karpenter's."""
    if strategy == "mig":
        return MIG_REPLACES if launched else MIG_REPARTITIONS
    return MPS_RESTARTS if strategy == "mps" and shared else RESTART
