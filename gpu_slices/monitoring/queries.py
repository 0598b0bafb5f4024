"""Every quantity that dashboards and alerts speak of, defined once: name, PromQL, unit, and what it can tell.

Labels: `node`, `pool`, `instance_type`, `capacity` (spot or on-demand) are ours on every series; `gpu` is the index on
its node, `GPU_I_ID` a MIG instance. Under sharing NVIDIA's exporter repeats a GPU's values once per pod that holds a
slice of it (KUBERNETES_VIRTUAL_GPUS): every query takes the greatest of these equal values first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..naming import POOL_LABEL

#: Node labels that kube-state-metrics must show.
NODE_LABELS: Final = (
    POOL_LABEL,
    "node.kubernetes.io/instance-type",
    "karpenter.sh/capacity-type",
    "eks.amazonaws.com/capacityType",
)
#: nvidia.com/gpu, nvidia.com/gpu.shared and nvidia.com/mig-…, as kube-state-metrics writes them.
_RESOURCES: Final = 'resource=~"nvidia_com_(gpu|gpu_shared|mig_.+)"'
_ONE_GPU: Final = "max by (node, gpu, GPU_I_ID, modelName)"
_OF_POOL: Final = "* on (node) group_left (pool, instance_type) gpu_slices:node"
_ACTIVE: Final = 'max by (namespace, pod) (kube_pod_status_phase{phase=~"Pending|Running"} == 1)'


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One recorded series. `unit` is Grafana's word for it."""

    name: str
    expr: str
    unit: str
    tells: str


def _relabelled(expr: str, label: str, value: str, source: str, pattern: str) -> str:
    return f'label_replace({expr}, "{label}", "{value}", "{source}", "{pattern}")'


def _nodes() -> str:
    found = 'kube_node_labels{label_gpu_slices_pool!=""}'
    found = _relabelled(found, "pool", "$1", "label_gpu_slices_pool", "(.+)")
    found = _relabelled(found, "instance_type", "$1", "label_node_kubernetes_io_instance_type", "(.+)")
    found = _relabelled(found, "capacity", "on-demand", "", "")
    found = _relabelled(found, "capacity", "spot", "label_karpenter_sh_capacity_type", "spot")
    found = _relabelled(found, "capacity", "spot", "label_eks_amazonaws_com_capacity_type", "SPOT")
    return f"max by (node, pool, instance_type, capacity) ({found})"


#: In the order of evaluation: a series may use those before it.
RECORDINGS: Final = (
    Recording(name="gpu_slices:node", expr=_nodes(), unit="none", tells="1 for every node of a GPU pool."),
    Recording(
        name="gpu_slices:node_slices",
        expr=f"max by (node, resource) (kube_node_status_allocatable{{{_RESOURCES}}}) {_OF_POOL}",
        unit="none",
        tells="Slices that a node advertises, by resource name.",
    ),
    Recording(
        name="gpu_slices:pod_slices",
        expr=f'sum by (namespace, pod, node, resource) (kube_pod_container_resource_requests{{{_RESOURCES}, node!=""}}) '
        f"* on (namespace, pod) group_left () {_ACTIVE} {_OF_POOL}",
        unit="none",
        tells="Slices that a scheduled pod holds until it ends, busy or not.",
    ),
    Recording(
        name="gpu_slices:pending_slices",
        expr=f'sum by (namespace, pod, resource) (kube_pod_container_resource_requests{{{_RESOURCES}, node=""}}) '
        f"* on (namespace, pod) group_left () {_ACTIVE}",
        unit="none",
        tells="Slices that pods without a node wait for.",
    ),
    Recording(
        name="gpu_slices:gpu_busy:ratio",
        expr=f"({_ONE_GPU} (DCGM_FI_PROF_GR_ENGINE_ACTIVE) or {_ONE_GPU} (DCGM_FI_DEV_GPU_UTIL / 100)) {_OF_POOL}",
        unit="percentunit",
        tells="Share of time in which any pod on the GPU computes. Of the whole GPU: a slice has no figure of its own.",
    ),
    Recording(
        name="gpu_slices:gpu_memory_used:ratio",
        expr=f"{_ONE_GPU} (DCGM_FI_DEV_FB_USED / (DCGM_FI_DEV_FB_USED + DCGM_FI_DEV_FB_FREE)) {_OF_POOL}",
        unit="percentunit",
        tells="Memory that all pods on the GPU hold together; no share of it is enforced under time-slicing.",
    ),
    Recording(
        name="gpu_slices:gpu_memory_free:bytes",
        expr=f"{_ONE_GPU} (DCGM_FI_DEV_FB_FREE) * 1048576 {_OF_POOL}",
        unit="bytes",
        tells="Memory of the GPU that the next pod finds.",
    ),
    Recording(
        name="gpu_slices:gpu_hot:ratio",
        expr=f"{_ONE_GPU} (rate(DCGM_FI_DEV_THERMAL_VIOLATION[5m])) / 1e9 {_OF_POOL}",
        unit="percentunit",
        tells="Share of time in which the GPU runs slower because it is too hot.",
    ),
    Recording(
        name="gpu_slices:gpu_power_capped:ratio",
        expr=f"{_ONE_GPU} (rate(DCGM_FI_DEV_POWER_VIOLATION[5m])) / 1e9 {_OF_POOL}",
        unit="percentunit",
        tells="Share of time in which the GPU runs slower because it is at its power limit; common under full load.",
    ),
    Recording(
        name="gpu_slices:node_usd_per_hour",
        expr="gpu_slices:node * on (instance_type, capacity) group_left () gpu_slices:instance_usd_per_hour",
        unit="currencyUSD",
        tells="What a node costs an hour by the stack's prices: list or private, not the bill.",
    ),
    Recording(
        name="gpu_slices:namespace_usd_per_hour",
        expr="sum by (namespace, pool) (gpu_slices:pod_slices * on (node) group_left () "
        "(sum by (node) (gpu_slices:node_usd_per_hour) / sum by (node) (gpu_slices:node_slices > 0)))",
        unit="currencyUSD",
        tells="Slices held × the node's price per slice. Slices that nobody holds are in no namespace.",
    ),
    Recording(
        name="gpu_slices:pod_cpu:cores",
        expr='sum by (namespace, node) (rate(container_cpu_usage_seconds_total{container!=""}[5m])) ' + _OF_POOL,
        unit="none",
        tells="CPU that pods on GPU nodes use: the usual reason for a GPU that waits.",
    ),
    Recording(
        name="gpu_slices:pod_network:bytes",
        expr='sum by (namespace, node) (rate(container_network_receive_bytes_total{pod!=""}[5m]) '
        f'+ rate(container_network_transmit_bytes_total{{pod!=""}}[5m])) {_OF_POOL}',
        unit="Bps",
        tells="Network traffic of pods on GPU nodes, both ways.",
    ),
)
