"""The keys about nodes that Karpenter launches: `karpenter`, `gpuNodePools`, `nodePools`, `retiredPools`."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from ..catalogue.selection import FamilyError, check_family
from ..versions import AMI_ALIAS, KARPENTER
from .base import Cpu, Flag, Memory, Model, Positive, Replicas, Text, refused, whole_number
from .mistakes import shown
from .pools import GpuInstanceType, NodeLabels, PodRequests
from .reservations import reservation_id
from .sharing import SharingOverride

_DURATION: Final = re.compile(r"([0-9]+(s|m|h))+")
_ALIAS: Final = re.compile(r"al2023@v([0-9]{8})")

Capacity = Literal["on-demand", "spot"]


def _version(value: str) -> str:
    if not re.fullmatch(r"1\.[0-9]+\.[0-9]+", value):
        raise refused(f"{value!r} is not an exact version", f'write it like "{KARPENTER.version}"')
    return value


def _duration(value: str) -> str:
    if not _DURATION.fullmatch(value):
        raise refused(f"{value!r} is not a duration", "write it like 30s, 5m or 336h")
    return value


def _budget_duration(value: str) -> str:
    if not re.fullmatch(r"[0-9]+h[0-9]+m|[0-9]+(h|m)", value):
        raise refused(f"{value!r} is not a duration in hours and minutes", "write it like 8h or 1h30m")
    return value


def _schedule(value: str) -> str:
    if not re.fullmatch(r"@(annually|yearly|monthly|weekly|daily|midnight|hourly)|\S+( \S+){4}", value):
        raise refused(f"{value!r} is not a cron line", 'write five fields like "0 8 * * mon-fri"')
    return value


def _duration_or_never(value: str) -> str:
    return value if value == "Never" else _duration(value)


def _alias(value: str) -> str:
    if not _ALIAS.fullmatch(value):
        raise refused(f"{value!r} is not a pinned AL2023 release", f'write it like "{AMI_ALIAS}"; @latest drifts')
    return value


def _family(value: str) -> str:
    try:
        check_family(value)
    except FamilyError as reason:
        raise refused(reason.problem, reason.remedy) from None
    return value


def _max_gpus(value: Any) -> dict[int, int] | int:
    """An int, or GPUs per node → GPUs; keys are text when they come through the engine."""
    if isinstance(value, dict):
        return {whole_number(count): whole_number(gpus) for count, gpus in value.items()}
    return whole_number(value)


def _nodes(value: Any) -> str:
    text = str(value)
    if not re.fullmatch(r"[0-9]{1,9}|([0-9]|[1-9][0-9]|100)%", text):
        raise refused(f"{shown(value)} is no number of nodes", 'write a number or a share like "10%"')
    return text


Duration = Annotated[Text, AfterValidator(_duration)]
DurationOrNever = Annotated[Text, AfterValidator(_duration_or_never)]


class Karpenter(Model):
    """The controller."""

    replicas: Annotated[Positive, Field(le=5)] = Field(default=2, description="Controller pods, each on its own node.")
    cpu: Cpu = Field(default="500m", description="CPU request of one pod.")
    memory: Memory = Field(default="1Gi", description="Memory request and limit of one pod.")
    log_level: Literal["debug", "info", "error"] = Field(default="info", description="Log level.")
    version: Annotated[Text, AfterValidator(_version)] = Field(
        default=KARPENTER.version, description="Chart version, when it must be another than the pinned one."
    )


class Budget(Model):
    """How many nodes Karpenter may disrupt at once, for which reasons, and when."""

    nodes: Annotated[str, BeforeValidator(_nodes, json_schema_input_type=int | str)] = Field(
        description="Nodes, or a share of them such as 10%."
    )
    reasons: tuple[Literal["Empty", "Underutilized", "Drifted"], ...] = Field(
        default=(), description="Only for these reasons; without any, for all."
    )
    schedule: Annotated[Text, AfterValidator(_schedule)] | None = Field(
        default=None, description="Cron line in UTC from which on the budget holds."
    )
    duration: Annotated[Text, AfterValidator(_budget_duration)] | None = Field(
        default=None, description="How long it holds from then on."
    )


class Consolidation(Model):
    """When Karpenter removes nodes that are not needed."""

    policy: Literal["WhenEmpty", "WhenEmptyOrUnderutilized", "Balanced"] = Field(
        default="WhenEmpty", description="WhenEmpty never moves a running pod."
    )
    after: DurationOrNever = Field(default="5m", description="How long a node must have been so.")


class Limits(Model):
    """Most of a resource that each NodePool may have at once."""

    cpu: Cpu | None = Field(default=None, description="CPU of all nodes together.")
    memory: Memory | None = Field(default=None, description="Memory of all nodes together.")


class Launched(Model):
    """What GPU and general NodePools have in common."""

    capacity: Annotated[tuple[Capacity, ...], Field(min_length=1)] = Field(
        default=("on-demand",), description="on-demand, spot or both."
    )
    zones: tuple[Text, ...] = Field(default=(), description="Only these zones of the network.")
    limits: Limits = Field(default=Limits(), description="cpu and memory, for each NodePool.")
    disk_gib: Annotated[Positive, Field(ge=20)] = Field(default=100, alias="diskGiB", description="Root volume in GiB.")
    disk_throughput: Annotated[Positive, Field(ge=125, le=750)] = Field(
        default=500, description="Root volume throughput in MiB/s."
    )
    ami_alias: Annotated[Text, AfterValidator(_alias)] = Field(
        default=AMI_ALIAS, description="AL2023 release; a new one replaces nodes within the budgets."
    )
    expire_after: DurationOrNever = Field(default="336h", description="Age at which a node is replaced.")
    termination_grace_period: Duration = Field(default="1h", description="Longest time that pods may take to leave.")
    consolidation: Consolidation = Field(default=Consolidation(), description="policy and after.")
    budgets: tuple[Budget, ...] = Field(
        default=(), description="Disruption budgets; without any: one drifted node at a time, empty ones at once."
    )
    weight: Annotated[Positive, Field(le=90)] = Field(default=10, description="Pools with more weight are tried first.")
    labels: NodeLabels = Field(default={}, description="More labels for the nodes.")


class GpuNodePool(Launched):
    """GPU nodes that Karpenter launches on demand; they share one sharing setting."""

    families: tuple[Annotated[Text, AfterValidator(_family)], ...] = Field(
        default=(), description="Instance families such as g5, g6e."
    )
    gpus_per_node: tuple[Positive, ...] = Field(
        default=(), description="GPU counts; several make one NodePool each, fewest GPUs first. Default: all."
    )
    sizes: tuple[Text, ...] = Field(default=(), description="Instance sizes such as 2xlarge. Default: all.")
    instance_types: tuple[GpuInstanceType, ...] = Field(
        default=(), description="Explicit types instead of families, gpusPerNode and sizes."
    )
    max_gpus: Annotated[dict[int, int] | int, BeforeValidator(_max_gpus)] = Field(
        description="Most physical GPUs at once; with several GPU counts a map {1: 4, 4: 8}."
    )
    replicas: Replicas | None = Field(default=None, description="Slices per GPU here; replaces the stack's replicas.")
    sharing: SharingOverride = Field(default=SharingOverride(), description="Fields of sharing that differ here.")
    pod_requests: PodRequests = Field(default=PodRequests(), description="What a one-slice pod asks for.")
    instance_store: Flag = Field(default=False, description="Put images and pods onto the local NVMe disks (RAID 0).")
    capacity_reservations: tuple[Annotated[Text, AfterValidator(reservation_id)], ...] = Field(
        default=(), description="Ids of capacity reservations to use first."
    )


class NodePool(Launched):
    """General nodes without GPUs."""

    categories: Annotated[tuple[Literal["c", "m", "r", "t"], ...], Field(min_length=1)] = Field(
        default=("c", "m", "r"), description="Instance categories."
    )
    cpu: tuple[Positive, ...] = Field(default=(), description="vCPU counts such as 4, 8, 16. Default: all.")
    min_generation: Positive = Field(default=3, description="Oldest instance generation.")
    hypervisor: Literal["nitro"] | None = Field(default="nitro", description="nitro, or null for any.")
    disk_throughput: Annotated[Positive, Field(ge=125, le=750)] = Field(
        default=125, description="Root volume throughput in MiB/s."
    )
    disk_gib: Annotated[Positive, Field(ge=20)] = Field(default=50, alias="diskGiB", description="Root volume in GiB.")


class RetiredPool(Model):
    """A pool that was removed while nodes of it may live on: its plugin config stays for one more update."""

    replicas: Replicas = Field(description="The count it had.")
    sharing: SharingOverride = Field(default=SharingOverride(), description="Fields of sharing that differed.")
