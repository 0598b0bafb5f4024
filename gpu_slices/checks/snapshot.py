"""A live cluster at one moment, as far as checks look at it: frozen, small, and free of any client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ..naming import CONFIG_LABEL, POOL_LABEL

HOSTNAME_LABEL: Final = "kubernetes.io/hostname"
INSTANCE_TYPE_LABEL: Final = "node.kubernetes.io/instance-type"
NODE_GROUP_LABEL: Final = "eks.amazonaws.com/nodegroup"
NODE_POOL_LABEL: Final = "karpenter.sh/nodepool"
CAPACITY_TYPE_LABELS: Final = ("karpenter.sh/capacity-type", "eks.amazonaws.com/capacityType")
FINAL_PHASES: Final = frozenset({"Failed", "Succeeded"})


@dataclass(frozen=True, kw_only=True)
class Taint:
    """A node's taint."""

    key: str
    value: str
    effect: str

    def __str__(self) -> str:
        return f"{self.key}={self.value}:{self.effect}" if self.value else f"{self.key}:{self.effect}"


@dataclass(frozen=True, kw_only=True)
class Toleration:
    """A pod's toleration; empty fields match everything, as Kubernetes has it."""

    key: str = ""
    operator: str = "Equal"
    value: str = ""
    effect: str = ""

    def tolerates(self, taint: Taint) -> bool:
        """Whether a pod that carries this may be placed on a node with that taint."""
        if self.effect and self.effect != taint.effect:
            return False
        if self.operator == "Exists":
            return not self.key or self.key == taint.key
        return self.key == taint.key and self.value == taint.value


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A condition of an object's status."""

    type: str
    status: str
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class Resources:
    """CPU in millicores, memory in MiB, pods, and extended resources (name → count)."""

    millicpu: int = 0
    mebibytes: int = 0
    pods: int = 0
    extended: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Node:
    """One node. `capacity` holds its extended resources only; `created` is an RFC 3339 time."""

    name: str
    labels: Mapping[str, str]
    taints: tuple[Taint, ...]
    allocatable: Resources
    capacity: Mapping[str, int]
    conditions: tuple[Condition, ...]
    schedulable: bool
    created: str = ""

    @property
    def ready(self) -> bool:
        """Whether the kubelet says that it takes pods."""
        return any(one.type == "Ready" and one.status == "True" for one in self.conditions)

    @property
    def hostname(self) -> str:
        """What pods are pinned by."""
        return self.labels.get(HOSTNAME_LABEL, self.name)

    @property
    def instance_type(self) -> str:
        """EC2's name; empty where the node has no such label."""
        return self.labels.get(INSTANCE_TYPE_LABEL, "")

    @property
    def config_key(self) -> str:
        """The plugin config that its label names; empty without the label."""
        return self.labels.get(CONFIG_LABEL, "")

    @property
    def pool_label(self) -> str:
        """Our own label; empty without it."""
        return self.labels.get(POOL_LABEL, "")


@dataclass(frozen=True, kw_only=True)
class Pod:
    """One pod that checks care about.

    `waiting` are `container: Reason: message` of containers that do not run; `unscheduled` is the scheduler's message.
    """

    namespace: str
    name: str
    node: str
    phase: str
    requests: Resources
    reason: str = ""
    message: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Toleration, ...] = ()
    node_selector: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""
    unscheduled: str = ""
    waiting: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    restarts: int = 0
    ready: bool = False
    deleting: bool = False
    visible_devices: bool = False

    @property
    def holds(self) -> bool:
        """Whether its requests count on its node."""
        return bool(self.node) and self.phase not in FINAL_PHASES

    def tolerates(self, taint: Taint) -> bool:
        """Whether one of its tolerations matches; soft taints keep nobody off."""
        return taint.effect == "PreferNoSchedule" or any(one.tolerates(taint) for one in self.tolerations)


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A DaemonSet or Deployment. `environment` is that of all its containers; config maps are those it mounts."""

    kind: str
    namespace: str
    name: str
    wanted: int
    updated: int
    available: int
    observed: bool = True
    config_maps: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Toleration, ...] = ()
    images: tuple[str, ...] = ()

    @property
    def rolled_out(self) -> bool:
        """Whether every pod that should be is there, up to date and available."""
        return self.observed and self.updated >= self.wanted and self.available >= self.wanted

    def tolerates(self, taint: Taint) -> bool:
        """Whether its pods may be on a node with that taint."""
        return taint.effect == "PreferNoSchedule" or any(one.tolerates(taint) for one in self.tolerations)


@dataclass(frozen=True, kw_only=True)
class ConfigMap:
    """A config map in a namespace of the GPU stack."""

    namespace: str
    name: str
    data: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """One requirement of an overlay or NodePool."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class NodeOverlay:
    """A Karpenter NodeOverlay."""

    name: str
    requirements: tuple[Requirement, ...]
    capacity: Mapping[str, str]
    weight: int
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, kw_only=True)
class NodePool:
    """A Karpenter NodePool: its limits and what its nodes amount to, as quantities."""

    name: str
    limits: Mapping[str, str]
    resources: Mapping[str, str]
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, kw_only=True)
class NodeClaim:
    """A node that Karpenter has asked for."""

    name: str
    node_pool: str
    node: str
    instance_type: str
    conditions: tuple[Condition, ...]
    created: str = ""


@dataclass(frozen=True, kw_only=True)
class Quota:
    """A ResourceQuota: resource → quantity."""

    namespace: str
    name: str
    hard: Mapping[str, str]
    used: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class HelmRelease:
    """The newest revision of a Helm release."""

    namespace: str
    name: str
    revision: int
    status: str


@dataclass(frozen=True, kw_only=True)
class Event:
    """An event of an object that the cluster wrote down."""

    kind: str
    namespace: str
    name: str
    reason: str
    message: str
    count: int = 1
    last: str = ""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Everything that was read, each part sorted by name. `pods` are those on GPU nodes, those that ask for a GPU,
    and those of the platform. `unreadable` says which parts the credentials may not read."""

    nodes: tuple[Node, ...] = ()
    pods: tuple[Pod, ...] = ()
    workloads: tuple[Workload, ...] = ()
    config_maps: tuple[ConfigMap, ...] = ()
    overlays: tuple[NodeOverlay, ...] = ()
    node_pools: tuple[NodePool, ...] = ()
    node_claims: tuple[NodeClaim, ...] = ()
    quotas: tuple[Quota, ...] = ()
    releases: tuple[HelmRelease, ...] = ()
    events: tuple[Event, ...] = ()
    namespaces: frozenset[str] = frozenset()
    unreadable: Mapping[str, str] = field(default_factory=dict)

    def workload(self, namespace: str, name: str) -> Workload | None:
        """The DaemonSet or Deployment of that name."""
        return next((one for one in self.workloads if (one.namespace, one.name) == (namespace, name)), None)
