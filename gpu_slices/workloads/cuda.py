"""Which CUDA versions know a GPU, by its compute capability."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ..catalogue import Gpu
from .catalogue import CudaVersion


@dataclass(frozen=True, kw_only=True)
class CudaRange:
    """First CUDA version that knows a GPU, and the last major that does; None: still known."""

    first: CudaVersion
    last_major: int | None = None

    def holds(self, version: CudaVersion) -> bool:
        """Whether code built with `version` runs."""
        return self.first <= version and (self.last_major is None or version[0] <= self.last_major)

    def __str__(self) -> str:
        """`CUDA 9.0 to 12`, `CUDA 11.8 or newer`."""
        first = written(self.first)
        return f"CUDA {first} or newer" if self.last_major is None else f"CUDA {first} to {self.last_major}"


#: Source: release notes of the CUDA toolkit (what each version added; 13.0 dropped Maxwell, Pascal and Volta).
_RANGES: Final[Mapping[tuple[int, int], CudaRange]] = {
    (7, 0): CudaRange(first=(9, 0), last_major=12),
    (7, 5): CudaRange(first=(10, 0)),
    (8, 0): CudaRange(first=(11, 0)),
    (8, 6): CudaRange(first=(11, 1)),
    (8, 9): CudaRange(first=(11, 8)),
    (9, 0): CudaRange(first=(11, 8)),
    (10, 0): CudaRange(first=(12, 8)),
    (10, 3): CudaRange(first=(12, 9)),
    (12, 0): CudaRange(first=(12, 8)),
}


def cuda_range(gpu: Gpu) -> CudaRange:
    """CUDA versions that know a GPU. Raises KeyError for a compute capability the table does not know."""
    return _RANGES[gpu.compute_capability]


def written(version: CudaVersion) -> str:
    """(12, 8) → `12.8`."""
    return ".".join(map(str, version))
