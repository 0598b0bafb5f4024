"""GPU nodes that Karpenter launches."""

from __future__ import annotations

from .launched_pool import LaunchedPool


class GpuNodePool(LaunchedPool):
    """One GPU pool: EC2NodeClass, a NodeOverlay and a NodePool per GPU count."""
