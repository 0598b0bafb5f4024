"""What a node advertises: for each resource name how many slices, and how much GPU memory one of them is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import mig
from .catalogue import InstanceType
from .naming import GPU_RESOURCE, SHARED_SUFFIX

if TYPE_CHECKING:
    from .settings.sharing import Mig, Sharing


@dataclass(frozen=True, kw_only=True)
class SliceKind:
    """One resource of one node. `gpu_memory_mib` is of one slice: enforced under MPS and between MIG instances only.

    `profile` is the MIG profile that a slice is, or a share of; None without MIG.
    """

    resource: str
    count: int
    gpu_memory_mib: int
    profile: str | None


def slice_kinds(instance: InstanceType, sharing: Sharing, replicas: int) -> tuple[SliceKind, ...]:
    """The resources of a node, smallest slices first; a valid stack's have at least one."""
    suffix = SHARED_SUFFIX if replicas > 1 and sharing.rename_resource else ""
    found = (
        _instances(instance, sharing.mig, replicas, suffix)
        if sharing.strategy == "mig" and sharing.mig
        else [
            SliceKind(
                resource=GPU_RESOURCE + suffix,
                count=instance.gpu_count * replicas,
                gpu_memory_mib=instance.gpu_memory_mib // replicas,
                profile=None,
            )
        ]
    )
    return tuple(sorted(found, key=lambda kind: (kind.gpu_memory_mib, kind.resource)))


def per_gpu(layout: Mig, gpus: int) -> tuple[mig.Profiles, ...]:
    """The profiles of each GPU of a node, in order."""
    if not layout.gpus:
        return (layout.profiles,) * gpus
    return tuple(part.profiles for part in layout.gpus for _ in range(part.count))


def replicated(sharing: Sharing) -> tuple[str, ...]:
    """The resources that the plugin's sharing block multiplies, before they are renamed; sorted."""
    if sharing.strategy != "mig" or not sharing.mig or sharing.mig.strategy == "single":
        return (GPU_RESOURCE,)
    return tuple(sorted(mig.resource(profile) for profile in profiles_of(sharing.mig)))


def profiles_of(layout: Mig) -> Mapping[str, int]:
    """Profile → instances, of all parts of a layout together."""
    return mig.instances([layout.profiles, *(part.profiles for part in layout.gpus)])


def _instances(instance: InstanceType, layout: Mig, replicas: int, suffix: str) -> list[SliceKind]:
    return [
        SliceKind(
            resource=(GPU_RESOURCE if layout.strategy == "single" else mig.resource(profile)) + suffix,
            count=count * replicas,
            gpu_memory_mib=mig.profile(profile).memory_mib(instance.gpu_memory_mib) // replicas,
            profile=profile,
        )
        for profile, count in mig.instances(per_gpu(layout, instance.gpu_count)).items()
    ]
