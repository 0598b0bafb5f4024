"""The settings of one stack: every key, its default and its description. Pulumi.yaml repeats the top level."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from ..naming import RESERVED_TAG_PREFIX, RESERVED_TAGS
from .adopted_cluster import AnyCluster
from .base import Model, Replicas, Text, refused
from .benchmark import OptionalBenchmark
from .budget import OptionalBudget
from .cluster import Cluster, Network, NewNetwork
from .karpenter import GpuNodePool, Karpenter, NodePool, RetiredPool
from .mistakes import shown
from .monitoring import Monitoring
from .pools import ExistingGpuNodes, GpuNodeGroup, NodePoolName, PoolName, SystemNodes
from .prices import Prices
from .security import Security
from .sharing import Sharing
from .tenants import Admission, Tenant, TenantName
from .workloads import SampleName, Workload

REGION_KEY: Final = "aws:region"


def _region(value: str) -> str:
    if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-[0-9]", value):
        raise refused(f"{value!r} is not an AWS region", "write one like us-west-2")
    return value


#: AWS's limits; of its 50 tags ten are left to the stack, EKS and Karpenter.
_MOST_TAGS: Final = 40
_LONGEST_TAG: Final = (128, 256)


def _tags(value: dict[str, str]) -> dict[str, str]:
    if len(value) > _MOST_TAGS:
        raise refused(f"{len(value)} tags are too many", f"write at most {_MOST_TAGS}")
    for key, text in value.items():
        if not 0 < len(key) <= _LONGEST_TAG[0] or len(text) > _LONGEST_TAG[1] or not f"{key}{text}".isprintable():
            raise refused(
                f"{shown(key)}: {shown(text)} is no AWS tag",
                "write a key of 1 to 128 characters and a value of at most 256, on one line",
            )
        if key.lower().startswith("aws:"):
            raise refused(f"AWS keeps tags that start with aws: ({key})", "choose another key")
        if key in RESERVED_TAGS or key.startswith(RESERVED_TAG_PREFIX):
            raise refused(f"the tag {key} belongs to EKS and Karpenter", "choose another key")
    return dict(sorted(value.items()))


class Settings(Model):
    """All settings of one stack, valid and complete. The fields are the keys of the `gpu-slices:` namespace."""

    region: Annotated[Text, AfterValidator(_region)] = Field(alias=REGION_KEY, description="AWS region.")
    replicas: Replicas = Field(
        default=1, description="Slices per GPU for every pool that says nothing else; 1 = whole GPUs."
    )
    sharing: Sharing = Field(
        default=Sharing(),
        description="How GPUs are shared: strategy, renameResource, failRequestsGreaterThanOne, mig, mps.",
    )
    gpu_stack: Literal["device-plugin", "gpu-operator"] = Field(
        default="device-plugin", description="What runs on GPU nodes: device-plugin or gpu-operator."
    )
    cluster: AnyCluster = Field(
        default=Cluster(),
        description="New EKS cluster {name, version, endpoint, logs, logRetentionDays, encryption, access, addons, "
        "optionalAddons} or one that is there {adopt, access, addons, optionalAddons, logRetentionDays}.",
    )
    network: Network = Field(
        default=NewNetwork(),
        description="New VPC {cidr, zones, nat} or existing one {vpcId, privateSubnetIds, publicSubnetIds}.",
    )
    system_nodes: SystemNodes = Field(
        default=SystemNodes(),
        description="Nodes without GPUs: instanceType, min, desired, max, diskGiB. On an adopted cluster only when named.",
    )
    gpu_node_groups: dict[PoolName, GpuNodeGroup] = Field(
        default={},
        description="GPU node groups by name: instanceType, replicas, sharing, capacity, min, desired, max, diskGiB, "
        "diskThroughput, labels, podRequests, amiRelease, capacityReservation.",
    )
    existing_gpu_nodes: dict[PoolName, ExistingGpuNodes] = Field(
        default={},
        description="GPU nodes that an adopted cluster has already, by the pool that their labels name: instanceType, "
        "nodes, replicas, sharing, podRequests.",
    )
    gpu_node_pools: dict[PoolName, GpuNodePool] = Field(
        default={},
        description="GPU NodePools that Karpenter scales, by name: families, gpusPerNode, sizes or instanceTypes, "
        "maxGpus, replicas, sharing, capacity, zones, limits, disk…, expireAfter, consolidation, budgets, weight, …",
    )
    node_pools: dict[NodePoolName, NodePool] = Field(
        default={},
        description="General NodePools without GPUs, by name: categories, cpu, minGeneration, hypervisor, capacity, "
        "zones, limits, …",
    )
    karpenter: Karpenter = Field(
        default=Karpenter(), description="Karpenter's controller: replicas, cpu, memory, logLevel, version."
    )
    retired_pools: dict[PoolName, RetiredPool] = Field(
        default={},
        description="GPU pools just removed under the operator, by name: {replicas, sharing}; their plugin config stays "
        "for one update.",
    )
    tenants: dict[TenantName, Tenant] = Field(
        default={},
        description="Teams by namespace: pools, slices, resources, podSecurity, egress, ingressFrom, principals, priority.",
    )
    admission: Admission = Field(
        default=Admission(),
        description="What becomes of pods that break the rules of GPU nodes: enforcement, platformNamespaces.",
    )
    workloads: dict[SampleName, Workload] = Field(
        default={},
        description="Sample workloads by name (cifar10, cuda, smoke, tensorflow): {pool, tenant, pods}; none unless "
        "named.",
    )
    tags: Annotated[dict[str, Text], AfterValidator(_tags)] = Field(
        default={}, description="AWS tags on everything that can carry them."
    )
    prices: Prices = Field(
        default=Prices(),
        description="What you pay or assume: regionFactor, private, spotDiscountPercent, commitment, natGbPerMonth.",
    )
    security: Security = Field(
        default=Security(),
        description="Hardening by choice: flowLogs, flowLogRetentionDays, breakGlassRoleArn, guardDuty, securityHub, "
        "diskKmsKeyArn, digests.",
    )
    benchmark: OptionalBenchmark = Field(
        default=None,
        description="What sharing one GPU costs, measured by `up` when named: pool, engine, models, load, conditions, "
        "promptWords, outputTokens, repeats, …",
    )
    monitoring: Monitoring = Field(
        default=Monitoring(),
        description="Prometheus, Grafana and DCGM exporter: enabled, retentionDays, storage, memory, idleMinutes, "
        "alertSecret, docsUrl.",
    )
    budget: OptionalBudget = Field(
        default=None,
        description="An AWS budget when named: monthlyUsd, emails, snsTopicArn, actualPercent, forecastPercent, "
        "activateTags.",
    )
