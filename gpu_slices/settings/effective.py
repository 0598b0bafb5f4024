"""A pool's own settings on top of the stack's."""

from __future__ import annotations

from .model import Settings
from .pools import GpuNodeGroup, Sharing


def replicas_of(settings: Settings, pool: GpuNodeGroup) -> int:
    """Slices per GPU of the pool."""
    return settings.replicas if pool.replicas is None else pool.replicas


def sharing_of(settings: Settings, pool: GpuNodeGroup) -> Sharing:
    """The stack's `sharing` with the single fields that the pool replaces."""
    own = pool.sharing.model_dump(exclude_none=True)
    return settings.sharing.model_copy(update=own)
