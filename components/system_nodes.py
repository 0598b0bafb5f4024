"""The nodes without GPUs that run everything that is not a GPU workload."""

from __future__ import annotations

from .node_group import NodeGroup


class SystemNodes(NodeGroup):
    """One managed node group without GPUs."""
