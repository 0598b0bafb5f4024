"""One managed node group with GPUs."""

from __future__ import annotations

from .node_group import NodeGroup


class GpuNodeGroup(NodeGroup):
    """One managed node group whose nodes share one sharing setting, found by the pool's name in a label."""
