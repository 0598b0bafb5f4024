"""What is allowed but should be known: one warning per thing, never silent, never a refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from .benchmark_remarks import benchmark_remarks
from .catalogue import Catalogue
from .compatibility import applied
from .pool_warnings import POOL_RULES
from .security_remarks import security_remarks
from .settings import Settings
from .settings.adopted_cluster import AdoptedCluster
from .settings.cluster import Cluster, NewNetwork
from .settings.compatibility_checks import pool_parts_of, stack_parts_of
from .settings.monitoring import Monitoring
from .stack_warning import StackWarning
from .system_room import shortages
from .versions import KARPENTER

if TYPE_CHECKING:
    from .pool_plan import PoolPlan

#: Sliced NodePools above which Karpenter's overlay evaluation takes seconds (measured: 20 take 1.8 s, 40 take 6.8 s).
MANY_NODE_POOLS: Final = 30


StackRule = Callable[[Settings, Sequence["PoolPlan"]], Iterator[StackWarning]]


def warnings_of(settings: Settings, pools: Sequence[PoolPlan], catalogue: Catalogue) -> tuple[StackWarning, ...]:
    """All warnings of a stack, sorted by key."""
    found = {warning for rule in POOL_RULES for pool in pools for warning in rule(pool, catalogue)}
    found |= {warning for rule in _STACK_RULES for warning in rule(settings, pools)}
    return tuple(sorted(found))


def _many_node_pools(_: Settings, pools: Sequence[PoolPlan]) -> Iterator[StackWarning]:
    sliced = sum(len(pool.node_pools) for pool in pools if not pool.exclusive)
    if sliced > MANY_NODE_POOLS:
        yield StackWarning(
            path="gpuNodePools",
            message=f"{sliced} sliced NodePools: Karpenter evaluates overlays quadratically (40 take about 7 s a change)",
        )


def _other_karpenter(settings: Settings, _: Sequence[PoolPlan]) -> Iterator[StackWarning]:
    if settings.karpenter.version != KARPENTER.version:
        yield StackWarning(
            path="karpenter.version",
            message=f"values, permissions and resources were checked against {KARPENTER.version} only",
        )


def _known_breaks(settings: Settings, _: Sequence[PoolPlan]) -> Iterator[StackWarning]:
    shared = stack_parts_of(settings)
    for parts in [shared, *(one for several in pool_parts_of(settings).values() for one in several)]:
        for found in applied(parts, "warn"):
            yield StackWarning(path=found.key, message=f"{found.problem}: {found.remedy}")


def _retired_needlessly(settings: Settings, _: Sequence[PoolPlan]) -> Iterator[StackWarning]:
    if settings.retired_pools:
        needed = settings.gpu_stack == "gpu-operator"
        message = "remove them once their nodes are gone" if needed else "only the GPU operator needs them: remove them"
        yield StackWarning(path="retiredPools", message=message)


def _single_nat(settings: Settings, _: Sequence[PoolPlan]) -> Iterator[StackWarning]:
    if isinstance(settings.network, NewNetwork) and settings.network.nat == "single":
        yield StackWarning(
            path="network.nat", message="one NAT gateway: if its zone fails, no node reaches the Internet"
        )


def _open_endpoint(settings: Settings, _: Sequence[PoolPlan]) -> Iterator[StackWarning]:
    if not isinstance(settings.cluster, Cluster):
        return
    if settings.cluster.endpoint.public and "0.0.0.0/0" in settings.cluster.endpoint.public_cidrs:
        yield StackWarning(
            path="cluster.endpoint.publicCidrs",
            message="the API answers every address (IAM still decides who may in); name your own ranges",
        )


def _adopted(settings: Settings, _: Sequence[PoolPlan]) -> Iterator[StackWarning]:
    if isinstance(settings.cluster, AdoptedCluster):
        yield StackWarning(
            path="cluster.adopt",
            message="a preview does not see what runs in the cluster: before the first `up` let `preflight` look for "
            "another device plugin, GPU operator or Karpenter",
        )


def _unused_replicas(settings: Settings, pools: Sequence[PoolPlan]) -> Iterator[StackWarning]:
    own = [pool.settings.replicas is not None for pool in pools]
    if settings.replicas != 1 and own and all(own):
        yield StackWarning(path="replicas", message="every pool says its own replicas: this number has no effect")


def _small_system_nodes(settings: Settings, _: Sequence[PoolPlan]) -> Iterator[StackWarning]:
    short = list(shortages(settings))
    if short:
        nodes = settings.system_nodes
        yield StackWarning(
            path="systemNodes",
            message=f"{nodes.desired} × {nodes.instance_type} do not hold what is switched on ({'; '.join(short)}): "
            "raise desired or take a larger instanceType",
        )


def _monitoring(settings: Settings, _: Sequence[PoolPlan]) -> Iterator[StackWarning]:
    monitoring = settings.monitoring
    if not monitoring.enabled:
        if monitoring != Monitoring():
            yield StackWarning(path="monitoring", message="has no effect: enabled is not true")
        if settings.budget is not None:
            yield StackWarning(
                path="budget",
                message="tells of money a day late and of no idle GPU: that alert needs monitoring.enabled: true",
            )
        return
    if monitoring.alert_secret is None:
        yield StackWarning(
            path="monitoring.alertSecret",
            message="alerts are shown in Alertmanager and Grafana, and nobody is told of them",
        )
    if monitoring.storage is None:
        yield StackWarning(
            path="monitoring.storage", message="samples are lost whenever Prometheus's pod moves to another node"
        )


def _security(settings: Settings, _: Sequence[PoolPlan]) -> Iterator[StackWarning]:
    for path, message in security_remarks(settings):
        yield StackWarning(path=path, message=message)


def _benchmark(settings: Settings, pools: Sequence[PoolPlan]) -> Iterator[StackWarning]:
    for path, message in benchmark_remarks(settings, pools):
        yield StackWarning(path=path, message=message)


_STACK_RULES: Final[tuple[StackRule, ...]] = (
    _single_nat,
    _adopted,
    _open_endpoint,
    _unused_replicas,
    _many_node_pools,
    _other_karpenter,
    _known_breaks,
    _retired_needlessly,
    _small_system_nodes,
    _monitoring,
    _security,
    _benchmark,
)
