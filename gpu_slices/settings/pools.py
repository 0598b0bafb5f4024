"""The keys about nodes: `systemNodes`, `gpuNodeGroups`, `existingGpuNodes`."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from .. import catalogue, naming
from .base import Count, Cpu, Memory, Model, Positive, Replicas, Text, refused
from .mistakes import listed, shown
from .reservations import CapacityReservation
from .sharing import SharingOverride

_LABEL_KEY: Final = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_LABEL_VALUE: Final = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_AMI_RELEASE: Final = re.compile(r"1\.[0-9]{1,3}\.[0-9]{1,3}-20[0-9]{6}")
_SYSTEM_TYPE: Final = re.compile(r"[a-z][a-z0-9-]*\.[a-z0-9-]+")


def _gpu_type(value: str) -> str:
    known = catalogue.load()
    instance = known.instances.get(value)
    if instance is None:
        near = known.nearest(value)
        remedy = f"did you mean {' or '.join(near)}?" if near else f"families: {listed(_families(known), 20)}"
        raise refused(f"there is no GPU instance type {value!r}", remedy)
    if instance.fractional:
        raise refused(
            f"{value} carries a fraction of one {instance.gpu.label}, which EC2 counts as 0 GPUs: there is nothing to slice",
            "take a type with a whole GPU such as g6.xlarge",
        )
    if instance.arch != "amd64":
        raise refused(f"{value} is {instance.arch}; only amd64 is supported", "take a type such as g4dn.xlarge")
    return value


def _families(known: catalogue.Catalogue) -> list[str]:
    return sorted({i.family for i in known.instances.values() if not i.fractional and i.arch == "amd64"})


def _system_type(value: str) -> str:
    if not _SYSTEM_TYPE.fullmatch(value):
        raise refused(f"{value!r} is not an instance type", "write one like t3.large")
    if value in catalogue.load().instances:
        raise refused(f"{value} has a GPU, which system pods would only block", "take a type like t3.large")
    return value


def _labels(value: dict[str, str]) -> dict[str, str]:
    for key, text in sorted(value.items()):
        domain = key.rpartition("/")[0]
        if key in naming.RESERVED_LABEL_KEYS or domain.endswith(naming.RESERVED_LABEL_DOMAINS):
            raise refused(f"the label {shown(key)} is not yours to set", "choose another key")
        if not _LABEL_KEY.fullmatch(key) or not _LABEL_VALUE.fullmatch(text):
            raise refused(
                f"{shown(f'{key}={text}')} is not a Kubernetes label", "see the syntax of label keys and values"
            )
    return dict(sorted(value.items()))


def _ami_release(value: str) -> str:
    if not _AMI_RELEASE.fullmatch(value):
        raise refused(f"{shown(value)} is not a release of EKS's images", "write it like 1.35.2-20260714")
    return value


def _node_pool_name(value: Any) -> str:
    if value is None:
        raise refused("a pool has no name", "write one before the colon")
    if not isinstance(value, str) or re.fullmatch(r"[0-9][0-9.e_]*", value):
        digits = re.sub(r"[^a-z0-9]+", "-", str(value).lower()).strip("-")
        raise refused(f"the name {shown(value)} reads as a number", f"start it with a letter, like pool-{digits}")
    if len(value) > 40 or not re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", value):
        raise refused(f"{value!r} is not a pool name", "use lower-case letters, digits and dashes, at most 40")
    return value


def _pool_name(value: Any) -> str:
    if value in naming.RESERVED_POOL_NAMES:
        raise refused(f"the name {value!r} is reserved", "choose another name")
    return _node_pool_name(value)


#: Of a GPU pool.
PoolName = Annotated[str, BeforeValidator(_pool_name)]
#: Of a general NodePool, which may well be called default.
NodePoolName = Annotated[str, BeforeValidator(_node_pool_name)]
GpuInstanceType = Annotated[Text, AfterValidator(_gpu_type)]
NodeLabels = Annotated[dict[str, Text], AfterValidator(_labels)]


class PodRequests(Model):
    """What a typical one-slice pod asks for beside its slice; decides how many slices a node can really use."""

    cpu: Cpu = Field(default="100m", description="CPU request.")
    memory: Memory = Field(default="512Mi", description="Memory request.")


class SystemNodes(Model):
    """The managed node group without GPUs that runs everything else."""

    instance_type: Annotated[Text, AfterValidator(_system_type)] = Field(
        default="t3.large", description="Instance type without a GPU."
    )
    min: Count = Field(default=2, description="Fewest nodes.")
    desired: Count = Field(default=2, description="Nodes to run.")
    max: Positive = Field(default=4, description="Most nodes.")
    disk_gib: Annotated[Positive, Field(ge=20)] = Field(default=20, alias="diskGiB", description="Root volume in GiB.")


class GpuNodeGroup(Model):
    """One EKS managed node group with GPUs; its nodes share one sharing setting."""

    instance_type: GpuInstanceType = Field(description="GPU instance type, such as g6e.2xlarge.")
    replicas: Replicas | None = Field(default=None, description="Slices per GPU here; replaces the stack's replicas.")
    sharing: SharingOverride = Field(default=SharingOverride(), description="Fields of sharing that differ here.")
    capacity: Literal["on-demand", "spot"] = Field(default="on-demand", description="on-demand or spot.")
    min: Count = Field(default=0, description="Fewest nodes.")
    desired: Count = Field(default=1, description="Nodes to run.")
    max: Positive = Field(default=1, description="Most nodes; nothing scales up to it by itself.")
    disk_gib: Annotated[Positive, Field(ge=50)] = Field(
        default=100, alias="diskGiB", description="Root volume in GiB; GPU images are large."
    )
    disk_throughput: Annotated[Positive, Field(ge=125, le=750)] = Field(
        default=500, description="Root volume throughput in MiB/s (gp3 at 3,000 IOPS carries up to 750)."
    )
    labels: NodeLabels = Field(default={}, description="More labels for the nodes.")
    pod_requests: PodRequests = Field(default=PodRequests(), description="What a one-slice pod asks for.")
    ami_release: Annotated[Text, AfterValidator(_ami_release)] | None = Field(
        default=None, description="AMI release such as 1.35.2-20260714; without it EKS's newest at creation."
    )
    capacity_reservation: CapacityReservation | None = Field(
        default=None, description="Launch into this reservation only: id, type, zone, instances, ends, subnetIds."
    )


class ExistingGpuNodes(Model):
    """GPU nodes that are there already in an adopted cluster and join a pool by their labels; nothing here makes them."""

    instance_type: GpuInstanceType = Field(description="What they are, such as p3.8xlarge.")
    nodes: Positive = Field(description="How many of them there are.")
    replicas: Replicas | None = Field(default=None, description="Slices per GPU here; replaces the stack's replicas.")
    sharing: SharingOverride = Field(default=SharingOverride(), description="Fields of sharing that differ here.")
    pod_requests: PodRequests = Field(default=PodRequests(), description="What a one-slice pod asks for.")
