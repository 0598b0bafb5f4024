"""The catalogue's types: what the plan knows of a GPU and of an instance type."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """One GPU model. Driver limits are branches (580), None where none is known."""

    name: str
    label: str
    architecture: str
    compute_capability: tuple[int, int]
    min_driver: int | None
    max_driver: int | None
    #: GPU memory in MiB → MIG profile → most instances of it on one GPU; empty: the GPU has no MIG.
    mig_profiles: Mapping[int, Mapping[str, int]]
    #: GPU memory in MiB → the `nvidia.com/gpu.product` label without `-SHARED`.
    products: Mapping[int, str]


@dataclass(frozen=True, kw_only=True)
class InstanceType:
    """One EC2 instance type. Memory in MiB, CPU in millicores, price in USD per hour on demand in the price region."""

    name: str
    family: str
    vcpu: int
    memory_mib: int
    gpu: Gpu
    #: As EC2 reports it: 0 on types that carry a fraction of a GPU.
    gpu_count: int
    gpu_memory_mib: int
    arch: str
    local_nvme_gb: int
    network_mbps: int
    efa_interfaces: int
    pods: int
    allocatable_millicpu: int
    allocatable_mib: int
    usd_per_hour: float | None
    retired: bool

    @property
    def size(self) -> str:
        """`2xlarge` of `g6e.2xlarge`."""
        return self.name.partition(".")[2]

    @property
    def fractional(self) -> bool:
        """Whether it carries part of a GPU, which EC2 counts as 0."""
        return self.gpu_count == 0

    @property
    def product(self) -> str | None:
        """The value of GFD's `nvidia.com/gpu.product` while the GPU is not shared; None where not known."""
        return self.gpu.products.get(self.gpu_memory_mib)


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """All instance types by name, with where and when the data were read."""

    source: str
    read: str
    price_region: str
    instances: Mapping[str, InstanceType]
    gpus: Mapping[str, Gpu]
    #: Retired family → families to move to, best first.
    successors: Mapping[str, tuple[str, ...]]

    def nearest(self, name: str, count: int = 3) -> tuple[str, ...]:
        """The names most like `name`, best first; possibly none."""
        return tuple(difflib.get_close_matches(name, sorted(self.instances), n=count, cutoff=0.6))
