"""Names, labels, taints, tolerations and tags: every word that two parts of the platform must agree on."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import Final

PROJECT: Final = "gpu-slices"

GPU_RESOURCE: Final = "nvidia.com/gpu"
#: What the plugin appends where `renameByDefault` is on.
SHARED_SUFFIX: Final = ".shared"
SHARED_GPU_RESOURCE: Final = GPU_RESOURCE + SHARED_SUFFIX

#: The device plugin's config-manager reads this node label and picks the config of that name.
CONFIG_LABEL: Final = "nvidia.com/device-plugin.config"
#: The operator's MIG manager reads this node label and partitions the GPUs as the layout of that name says.
MIG_LAYOUT_LABEL: Final = "nvidia.com/mig.config"
#: Ours, for pods: `nodeSelector: {gpu-slices/pool: NAME}`.
POOL_LABEL: Final = "gpu-slices/pool"
#: Lets the stand-alone chart's DaemonSets onto a node before any feature discovery ran. The GPU operator
#: maintains it itself and must not find it set by hand.
GPU_PRESENT_LABEL: Final = "nvidia.com/gpu.present"
#: Whose namespace it is.
TENANT_LABEL: Final = "gpu-slices/tenant"
#: A pool's own `labels` (or, on a node group, a tag) say with "true" that its GPUs must not be shared: see policy/.
REGULATED_LABEL: Final = "gpu-slices/regulated"
REGULATED_TAG: Final = "gpu-slices:regulated"

#: The benchmark's: which part of it (server, client or visitor), which server or block, and of which settings.
BENCHMARK_LABEL: Final = "gpu-slices/benchmark"
BENCHMARK_PART_LABEL: Final = "gpu-slices/benchmark-part"
CAMPAIGN_LABEL: Final = "gpu-slices/campaign"

#: The config of a node that carries no config label: whole GPUs.
EXCLUSIVE_CONFIG: Final = "exclusive"
#: Words a GPU pool cannot be called: the fallback config, and the chart's own key for it.
RESERVED_POOL_NAMES: Final = frozenset({EXCLUSIVE_CONFIG, "default"})

GPU_TAINT_KEY: Final = GPU_RESOURCE
GPU_TAINT_VALUE: Final = "true"
GPU_TAINT_EFFECT: Final = "NoSchedule"
#: The one toleration; plugin, GFD, NFD, MPS, DCGM and workloads all carry it.
GPU_TOLERATION: Final[Mapping[str, str]] = {
    "key": GPU_TAINT_KEY,
    "operator": "Exists",
    "effect": GPU_TAINT_EFFECT,
}

#: Labels a user cannot set on a pool: the program or Kubernetes owns them.
RESERVED_LABEL_KEYS: Final = frozenset({CONFIG_LABEL, POOL_LABEL, GPU_PRESENT_LABEL})
RESERVED_LABEL_DOMAINS: Final = ("kubernetes.io", "k8s.io", "karpenter.sh", "eks.amazonaws.com", "nvidia.com")

#: Tags that EKS and Karpenter set themselves: Karpenter launches nothing for a NodeClass that carries one.
RESERVED_TAGS: Final = frozenset(
    {"eks:eks-cluster-name", "karpenter.k8s.aws/ec2nodeclass", "karpenter.sh/nodeclaim", "karpenter.sh/nodepool"}
)
RESERVED_TAG_PREFIX: Final = "kubernetes.io/cluster/"

MANAGED_BY_LABELS: Final[Mapping[str, str]] = {"app.kubernetes.io/managed-by": PROJECT}

DEVICE_PLUGIN_NAMESPACE: Final = "nvidia-device-plugin"
#: Names of the chart's releases, and of their DaemonSets: the second is for pools under MPS alone.
DEVICE_PLUGIN_RELEASE: Final = "nvidia-device-plugin"
MPS_RELEASE: Final = "nvidia-device-plugin-mps"
GPU_OPERATOR_NAMESPACE: Final = "gpu-operator"
MONITORING_NAMESPACE: Final = "monitoring"

#: The storage class that comes with the EBS add-on.
STORAGE_CLASS: Final = "gp3-encrypted"

#: EKS refuses a longer node group name; Pulumi's and Terraform's prefixes add a 26-character suffix.
NODE_GROUP_PREFIX_LIMIT: Final = 37


#: The tag that a stack's cost is found by.
STACK_TAG: Final = "gpu-slices:stack"


def stack_tags(stack: str, cluster: str, own: Mapping[str, str]) -> dict[str, str]:
    """Tags of everything that the stack creates; `own` are the user's and win."""
    tags = {STACK_TAG: stack, "gpu-slices:cluster": cluster, "managed-by": PROJECT}
    return dict(sorted({**tags, **own}.items()))


def pool_labels(pool: str, *, with_gpu_present: bool, mig_layout: str | None, own: Mapping[str, str]) -> dict[str, str]:
    """Node labels of a GPU pool. No label carries a replica count: a slice edit must change no node."""
    labels = {**own, CONFIG_LABEL: pool, POOL_LABEL: pool}
    if with_gpu_present:
        labels[GPU_PRESENT_LABEL] = "true"
    if mig_layout:
        labels[MIG_LAYOUT_LABEL] = mig_layout
    return dict(sorted(labels.items()))


def node_pool_names(pool: str, counts: Collection[int]) -> dict[int, str]:
    """GPUs per node → name of the Karpenter NodePool: the pool's own, or `<pool>-<n>gpu` when there are several."""
    if len(counts) <= 1:
        return dict.fromkeys(counts, pool)
    return {count: f"{pool}-{count}gpu" for count in sorted(counts)}


def content_name(prefix: str, content: str) -> str:
    """`PREFIX-HASH` with ten hex digits of the content's SHA-256; a DNS label for a short prefix."""
    return f"{prefix}-{hashlib.sha256(content.encode()).hexdigest()[:10]}"


def node_group_prefix(cluster: str, pool: str) -> str:
    """Name prefix of a managed node group, cut with a hash where EKS would refuse its length."""
    whole = f"{cluster}-{pool}"
    if len(whole) < NODE_GROUP_PREFIX_LIMIT:
        return f"{whole}-"
    digest = hashlib.sha256(whole.encode()).hexdigest()[:6]
    return f"{whole[: NODE_GROUP_PREFIX_LIMIT - 8]}-{digest}-"


def log_group_name(cluster: str) -> str:
    """The log group that EKS writes control-plane logs to; it must exist first to have our retention."""
    return f"/aws/eks/{cluster}/cluster"


def flow_log_group_name(cluster: str) -> str:
    """The log group of the VPC's flow logs, where a stack keeps them."""
    return f"/aws/vpc/{cluster}/flow-logs"


def insights_log_group_names(cluster: str) -> tuple[str, ...]:
    """The log groups that the CloudWatch add-on writes to; those that exist first have our key and retention."""
    return tuple(
        f"/aws/containerinsights/{cluster}/{part}" for part in ("application", "dataplane", "host", "performance")
    )
