"""MIG as data: what a profile's name says, which profiles fit one GPU together, what they are called as resources.

Source: NVIDIA's MIG user guide (a GPU has compute and memory slices; a profile takes some of each) and the device
plugin v0.20.0 (resource names). Memory is counted in eighths of the GPU's, as profile names are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

MigStrategy = Literal["single", "mixed"]
#: Profile → instances of it on one GPU.
Profiles = Mapping[str, int]

MEMORY_SLICES: Final = 8
_MIB_PER_GIB: Final = 1024
_NAME: Final = re.compile(r"(\d+)g\.(\d+)gb(\+\S+)?")


@dataclass(frozen=True, kw_only=True)
class Profile:
    """`2g.10gb`: two compute slices; 10 GB, which the name rounds to whole ones."""

    name: str
    compute: int
    gigabytes: int

    def memory_slices(self, gpu_memory_mib: int) -> int:
        """Eighths of the GPU's memory that an instance takes."""
        return max(1, round(self.gigabytes * MEMORY_SLICES * _MIB_PER_GIB / gpu_memory_mib))

    def memory_mib(self, gpu_memory_mib: int) -> int:
        """GPU memory of one instance in MiB, before what the driver keeps for itself."""
        return gpu_memory_mib * self.memory_slices(gpu_memory_mib) // MEMORY_SLICES


def profile(name: str) -> Profile:
    """What a profile's name says. Raises ValueError for another text."""
    found = _NAME.fullmatch(name)
    if not found:
        raise ValueError(f"{name!r} is not a MIG profile")
    return Profile(name=name, compute=int(found[1]), gigabytes=int(found[2]))


def resource(name: str) -> str:
    """The resource that strategy mixed advertises for a profile: `nvidia.com/mig-1g.5gb.me` for `1g.5gb+me`."""
    return f"nvidia.com/mig-{name.replace('+', '.')}"


def too_much(profiles: Profiles, known: Profiles, gpu_memory_mib: int) -> str | None:
    """What one GPU has too little of for these instances together, None where they fit.

    `known` are the GPU's own profiles with the most instances of each. Sums suffice: whatever fits by slices of compute
    and memory has a placement, since the one memory slice without compute is taken by profiles that need it.
    """
    for name, count in sorted(profiles.items()):
        if count > known[name]:
            return f"at most {known[name]} of {name}"
    compute = max(profile(name).compute for name in known)
    asked = sum(profile(name).compute * count for name, count in profiles.items())
    if asked > compute:
        return f"{compute} compute slices, these take {asked}"
    memory = sum(profile(name).memory_slices(gpu_memory_mib) * count for name, count in profiles.items())
    if memory > MEMORY_SLICES:
        return f"{MEMORY_SLICES} memory slices, these take {memory}"
    return None


def instances(per_gpu: Sequence[Profiles]) -> dict[str, int]:
    """Profile → instances on a node, from those of each of its GPUs; sorted by profile."""
    total: Counter[str] = Counter()
    for profiles in per_gpu:
        total.update(profiles)
    return dict(sorted(total.items()))
