"""General nodes that Karpenter launches."""

from __future__ import annotations

from .launched_pool import LaunchedPool


class NodePool(LaunchedPool):
    """One general pool: EC2NodeClass and NodePool."""
