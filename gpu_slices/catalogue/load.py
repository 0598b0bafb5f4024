"""Reads the catalogue's two data files into typed values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from .types import Catalogue, Gpu, InstanceType


@cache
def load() -> Catalogue:
    """The catalogue that ships with the program. Read once per process."""
    hardware = _read("gpus.json")
    market = _read("instances.json")
    gpus = {name: _gpu(name, row, hardware["migProfiles"]) for name, row in hardware["gpus"].items()}
    return Catalogue(
        source=market["source"],
        read=market["read"],
        price_region=market["priceRegion"],
        instances={name: _instance(name, row, gpus) for name, row in market["instances"].items()},
        gpus=gpus,
        successors={family: tuple(names) for family, names in hardware["successors"].items()},
    )


def _read(name: str) -> dict[str, Any]:
    return json.loads(files("gpu_slices.catalogue").joinpath(name).read_text(encoding="utf-8"))


def _gpu(name: str, row: Mapping[str, Any], mig_profiles: Mapping[str, Mapping[str, int]]) -> Gpu:
    major, minor = row["computeCapability"].split(".")
    return Gpu(
        name=name,
        label=row["label"],
        architecture=row["architecture"],
        compute_capability=(int(major), int(minor)),
        min_driver=row["minDriver"],
        max_driver=row["maxDriver"],
        mig_profiles={int(mib): mig_profiles[table] for mib, table in row["migByMemoryMiB"].items()},
        products={int(mib): product for mib, product in row["productByMemoryMiB"].items()},
    )


def _instance(name: str, row: Mapping[str, Any], gpus: Mapping[str, Gpu]) -> InstanceType:
    return InstanceType(
        name=name,
        family=row["family"],
        vcpu=row["vcpu"],
        memory_mib=row["memoryMiB"],
        gpu=gpus[row["gpu"]],
        gpu_count=row["gpuCount"],
        gpu_memory_mib=row["gpuMemoryMiB"],
        arch=row["arch"],
        local_nvme_gb=row["localNvmeGB"],
        network_mbps=row["networkMbps"],
        efa_interfaces=row["efaInterfaces"],
        pods=row["pods"],
        allocatable_millicpu=row["allocatableMilliCpu"],
        allocatable_mib=row["allocatableMiB"],
        usd_per_hour=row["usdPerHour"],
        retired=row["retired"],
    )
