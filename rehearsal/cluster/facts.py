"""Facts about instance types that the doubles and Karpenter's instance types are made from.

The caller gives them as one JSON object, instance type -> facts, in camelCase:

    {"g6e.2xlarge": {
        "architecture": "amd64",
        "capacity":    {"cpuMilli": 8000, "memoryMib": 65536, "pods": 58, "ephemeralStorageGib": 100},
        "allocatable": {"cpuMilli": 7910, "memoryMib": 62000, "pods": 58, "ephemeralStorageGib": 90},
        "gpu": {"count": 1, "product": "NVIDIA-L40S", "memoryMib": 45776, "computeCapability": "8.9"},
        "offerings": [{"zone": "us-west-2a", "capacityType": "on-demand", "usdPerHour": 2.24208}],
        "labels": {"karpenter.k8s.aws/instance-family": "g6e"}}}

`gpu` is left out for types without one. `offerings` are needed for Karpenter only. `labels` are further labels that a
NodePool may select by and that nodes of the type carry.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from rehearsal.cluster.errors import ClusterError

_STRICT = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=False)
Count = Annotated[int, Field(ge=1)]


@dataclass(frozen=True, kw_only=True)
class NodeSize:
    """What a node has, or what is left of it for pods: CPU in thousandths, memory in MiB, disk in GiB."""

    cpu_milli: Count
    memory_mib: Count
    pods: Count
    ephemeral_storage_gib: Count = 100
    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    def quantities(self) -> dict[str, str]:
        """Return the resource list of a node's status."""
        return {
            "cpu": f"{self.cpu_milli}m",
            "memory": f"{self.memory_mib}Mi",
            "pods": str(self.pods),
            "ephemeral-storage": f"{self.ephemeral_storage_gib}Gi",
        }


@dataclass(frozen=True, kw_only=True)
class GpuFacts:
    """The GPUs of a type: `product` as GPU feature discovery labels it, memory in MiB per GPU."""

    count: Count
    product: str
    memory_mib: Count
    compute_capability: Annotated[str, Field(pattern=r"^\d+\.\d+$")]
    mig_capable: bool = False
    __pydantic_config__: ClassVar[ConfigDict] = _STRICT


@dataclass(frozen=True, kw_only=True)
class Offering:
    """One way to get an instance of the type."""

    zone: str
    capacity_type: Literal["on-demand", "spot", "reserved"]
    usd_per_hour: Annotated[float, Field(ge=0)]
    __pydantic_config__: ClassVar[ConfigDict] = _STRICT


@dataclass(frozen=True, kw_only=True)
class InstanceFacts:
    """One instance type."""

    architecture: Literal["amd64", "arm64"]
    capacity: NodeSize
    allocatable: NodeSize
    gpu: GpuFacts | None = None
    offerings: tuple[Offering, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    __pydantic_config__: ClassVar[ConfigDict] = _STRICT


Facts = Mapping[str, InstanceFacts]
_ADAPTER: TypeAdapter[dict[str, InstanceFacts]] = TypeAdapter(dict[str, InstanceFacts])


def parse(data: Mapping[str, Any]) -> Facts:
    """Return the facts in `data` (the JSON object above, decoded), or raise ClusterError naming every mistake."""
    try:
        return _ADAPTER.validate_python(data)
    except ValidationError as error:
        mistakes = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise ClusterError("instance facts: " + "; ".join(mistakes)) from None


def dump(facts: Facts) -> dict[str, Any]:
    """Return the JSON object that `parse` reads back."""
    return _ADAPTER.dump_python(dict(facts), by_alias=True, mode="json")


def read(path: Path) -> Facts:
    """Read facts from a JSON file, or raise ClusterError naming the file."""
    try:
        data = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ClusterError(f"instance facts: cannot read {path}: {error}") from None
    return parse(data)
