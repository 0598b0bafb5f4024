"""The dashboards: pools and what they cost, tenants, single GPUs."""

from __future__ import annotations

from typing import Final

from .grafana import Dashboard, Panel, Target, Variable
from .queries import RECORDINGS

_TELLS: Final = {one.name: one.tells for one in RECORDINGS}
_UNIT: Final = {one.name: one.unit for one in RECORDINGS}
_POOL: Final = Variable(name="pool", series="gpu_slices:node", label="pool")
_NAMESPACE: Final = Variable(name="namespace", series="gpu_slices:pod_slices", label="namespace")
_IN_POOL: Final = '{pool=~"$pool"}'
_IN_NAMESPACE: Final = '{namespace=~"$namespace"}'


def _over_pools(title: str, series: str, how: str, *, most: float | None = None, width: int = 12) -> Panel:
    """One recorded series, per pool."""
    return Panel(
        title=title,
        kind="timeseries",
        targets=(Target(expr=f"{how} by (pool) ({series}{_IN_POOL})", legend="{{pool}}"),),
        unit=_UNIT[series],
        tells=_TELLS[series],
        most=most,
        width=width,
    )


def _over_gpus(title: str, series: str, *, most: float | None = None) -> Panel:
    """One recorded series, per GPU or MIG instance."""
    return Panel(
        title=title,
        kind="timeseries",
        targets=(Target(expr=f"{series}{_IN_POOL}", legend="{{node}} GPU {{gpu}} {{GPU_I_ID}}"),),
        unit=_UNIT[series],
        tells=_TELLS[series],
        most=most,
    )


def _of_cards(title: str, metric: str, unit: str, tells: str) -> Panel:
    """A metric of the exporter as it is, per card."""
    expr = f"max by (node, gpu) ({metric}) * on (node) group_left (pool) gpu_slices:node{_IN_POOL}"
    target = Target(expr=expr, legend="{{node}} GPU {{gpu}}")
    return Panel(title=title, kind="timeseries", targets=(target,), unit=unit, tells=tells)


def _over_namespaces(title: str, series: str, *, where: str = _IN_NAMESPACE) -> Panel:
    return Panel(
        title=title,
        kind="timeseries",
        targets=(Target(expr=f"sum by (namespace) ({series}{where})", legend="{{namespace}}"),),
        unit=_UNIT[series],
        tells=_TELLS[series],
    )


def _number(title: str, expr: str, unit: str, tells: str) -> Panel:
    return Panel(
        title=title, kind="stat", targets=(Target(expr=expr, legend=""),), unit=unit, tells=tells, width=4, height=4
    )


_HEADLINES: Final = (
    _number(
        "Slices",
        f"sum(gpu_slices:node_slices{_IN_POOL})",
        "none",
        "Slices that all nodes of the chosen pools advertise now.",
    ),
    _number("Held", f"sum(gpu_slices:pod_slices{_IN_POOL}) or vector(0)", "none", _TELLS["gpu_slices:pod_slices"]),
    _number("Waited for", "sum(gpu_slices:pending_slices) or vector(0)", "none", _TELLS["gpu_slices:pending_slices"]),
    _number("GPU nodes", f"count(gpu_slices:node{_IN_POOL}) or vector(0)", "none", "Nodes of the chosen pools."),
    _number(
        "USD an hour",
        f"sum(gpu_slices:node_usd_per_hour{_IN_POOL}) or vector(0)",
        "currencyUSD",
        _TELLS["gpu_slices:node_usd_per_hour"],
    ),
    _number(
        "of it for slices nobody holds",
        f"(sum(gpu_slices:node_usd_per_hour{_IN_POOL}) or vector(0)) "
        f"- (sum(gpu_slices:namespace_usd_per_hour{_IN_POOL}) or vector(0))",
        "currencyUSD",
        "What the nodes cost less what the held slices of them cost.",
    ),
)

POOLS: Final = Dashboard(
    uid="gpu-slices-pools",
    title="GPU slices: pools",
    tells="Slices, GPUs and money per pool.",
    variables=(_POOL,),
    panels=(
        *_HEADLINES,
        Panel(
            title="Slices advertised and held",
            kind="timeseries",
            targets=(
                Target(expr=f"sum by (pool) (gpu_slices:node_slices{_IN_POOL})", legend="{{pool}} advertised"),
                Target(expr=f"sum by (pool) (gpu_slices:pod_slices{_IN_POOL})", legend="{{pool}} held"),
            ),
            unit="none",
            tells="Held above advertised: the number was lowered, and pods above it run until they restart.",
        ),
        Panel(
            title="Nodes, and the most there may be",
            kind="timeseries",
            targets=(
                Target(expr=f"count by (pool) (gpu_slices:node{_IN_POOL})", legend="{{pool}}"),
                Target(expr=f"gpu_slices:pool_most_nodes{_IN_POOL}", legend="{{pool}} limit"),
            ),
            unit="none",
            tells="The limit of a NodePool that also limits CPU or memory is reached sooner with large types.",
        ),
        _over_pools("GPU busy", "gpu_slices:gpu_busy:ratio", "avg", most=1),
        _over_pools("Least memory free on a GPU", "gpu_slices:gpu_memory_free:bytes", "min"),
        _over_pools("Slower for heat", "gpu_slices:gpu_hot:ratio", "max"),
        _over_pools("Slower at the power limit", "gpu_slices:gpu_power_capped:ratio", "max"),
        Panel(
            title="CPU of the nodes used by pods",
            kind="timeseries",
            targets=(
                Target(
                    expr=f"sum by (pool) (gpu_slices:pod_cpu:cores{_IN_POOL}) / sum by (pool) "
                    '(max by (node) (kube_node_status_allocatable{resource="cpu"}) '
                    f"* on (node) group_left (pool) gpu_slices:node{_IN_POOL})",
                    legend="{{pool}}",
                ),
            ),
            unit="percentunit",
            tells=_TELLS["gpu_slices:pod_cpu:cores"],
            most=1,
        ),
        _over_pools("Network", "gpu_slices:pod_network:bytes", "sum"),
        _over_pools("USD an hour", "gpu_slices:node_usd_per_hour", "sum"),
        Panel(
            title="Karpenter's limits used",
            kind="timeseries",
            targets=(
                Target(
                    expr="max by (nodepool, resource_type) (karpenter_nodepools_usage / (karpenter_nodepools_limit > 0))",
                    legend="{{nodepool}} {{resource_type}}",
                ),
            ),
            unit="percentunit",
            tells="GPU resources are counted in slices. At 1, or too near to it for one more node, Karpenter launches none.",
            most=1,
        ),
    ),
)

TENANTS: Final = Dashboard(
    uid="gpu-slices-tenants",
    title="GPU slices: tenants",
    tells="What each namespace holds, waits for and costs. GPU time and memory are not divisible among tenants of one GPU.",
    variables=(_NAMESPACE,),
    panels=(
        _over_namespaces("Slices held", "gpu_slices:pod_slices"),
        Panel(
            title="Quota used",
            kind="bargauge",
            targets=(
                Target(
                    expr='max by (namespace, resource) (kube_resourcequota{type="used", '
                    'resource=~"requests.nvidia.com/.+", namespace=~"$namespace"}) / (max by (namespace, resource) '
                    '(kube_resourcequota{type="hard", resource=~"requests.nvidia.com/.+", '
                    'namespace=~"$namespace"}) > 0)',
                    legend="{{namespace}} {{resource}}",
                ),
            ),
            unit="percentunit",
            tells="Slices requested of those that the namespace may request.",
            most=1,
        ),
        _over_namespaces("Slices waited for", "gpu_slices:pending_slices"),
        _over_namespaces("USD an hour", "gpu_slices:namespace_usd_per_hour"),
        Panel(
            title="Busy: GPUs on which the tenant has pods",
            kind="timeseries",
            targets=(
                Target(
                    expr="avg by (namespace) (label_replace(max by (exported_namespace, node, gpu, GPU_I_ID) "
                    '(DCGM_FI_PROF_GR_ENGINE_ACTIVE{exported_namespace=~"$namespace", exported_namespace!=""}), '
                    '"namespace", "$1", "exported_namespace", "(.+)"))',
                    legend="{{namespace}}",
                ),
            ),
            unit="percentunit",
            tells="Of the whole GPU: two tenants of one GPU see the same figure, whoever of them computes.",
            most=1,
        ),
        _over_namespaces("CPU in cores", "gpu_slices:pod_cpu:cores"),
        _over_namespaces("Network", "gpu_slices:pod_network:bytes"),
    ),
)

GPUS: Final = Dashboard(
    uid="gpu-slices-gpus",
    title="GPU slices: GPUs",
    tells="Every GPU: busy, memory, heat, errors.",
    variables=(_POOL,),
    panels=(
        _over_gpus("Busy", "gpu_slices:gpu_busy:ratio", most=1),
        _over_gpus("Memory used", "gpu_slices:gpu_memory_used:ratio", most=1),
        _over_gpus("Slower for heat", "gpu_slices:gpu_hot:ratio"),
        _over_gpus("Slower at the power limit", "gpu_slices:gpu_power_capped:ratio"),
        _of_cards("Power", "DCGM_FI_DEV_POWER_USAGE", "watt", "Power draw of the card."),
        _of_cards("Temperature", "DCGM_FI_DEV_GPU_TEMP", "celsius", "Temperature of the card."),
        Panel(
            title="XID errors of the last five minutes",
            kind="table",
            targets=(Target(expr="max by (node, gpu, xid) (DCGM_EXP_XID_ERRORS_COUNT) > 0", legend=""),),
            unit="none",
            tells="Errors that the driver reported; the number is NVIDIA's XID.",
        ),
        Panel(
            title="Slices of each node",
            kind="table",
            targets=(Target(expr=f"gpu_slices:node_slices{_IN_POOL}", legend=""),),
            unit="none",
            tells=_TELLS["gpu_slices:node_slices"],
        ),
    ),
)

DASHBOARDS: Final = (GPUS, POOLS, TENANTS)
