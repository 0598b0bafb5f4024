"""What is allowed but should be known: one warning per thing, never silent, never a refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .benchmark_remarks import benchmark_remarks
from .catalogue import Catalogue
from .compatibility import applied
from .security_remarks import security_remarks
from .settings import Settings
from .settings.adopted_cluster import AdoptedCluster
from .settings.cluster import Cluster, NewNetwork
from .settings.compatibility_checks import pool_parts_of, stack_parts_of
from .settings.monitoring import Monitoring
from .system_room import shortages
from .versions import KARPENTER

if TYPE_CHECKING:
    from .pool_plan import NodeShape, PoolPlan

#: More slices than EKS's own guide goes to (it shows 2 to 8).
MANY_REPLICAS: Final = 8
#: Less GPU memory per slice than a CUDA context with a small model needs.
LITTLE_MEMORY_MIB: Final = 2048
#: Sliced NodePools above which Karpenter's overlay evaluation takes seconds (measured: 20 take 1.8 s, 40 take 6.8 s).
MANY_NODE_POOLS: Final = 30


@dataclass(frozen=True, kw_only=True, order=True)
class StackWarning:
    """One thing worth knowing before `up`. `path` is the key it is about."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


PoolRule = Callable[["PoolPlan", Catalogue], Iterator[StackWarning]]
StackRule = Callable[[Settings, Sequence["PoolPlan"]], Iterator[StackWarning]]


def warnings_of(settings: Settings, pools: Sequence[PoolPlan], catalogue: Catalogue) -> tuple[StackWarning, ...]:
    """All warnings of a stack, sorted by key."""
    found = {warning for rule in _POOL_RULES for pool in pools for warning in rule(pool, catalogue)}
    found |= {warning for rule in _STACK_RULES for warning in rule(settings, pools)}
    return tuple(sorted(found))


def _retired(pool: PoolPlan, catalogue: Catalogue) -> Iterator[StackWarning]:
    for shape in pool.shapes:
        if shape.instance.retired:
            families = " or ".join(catalogue.successors[shape.instance.family])
            yield StackWarning(
                path=_types_key(pool),
                message=f"EC2 has retired {shape.instance.name} (since 2026); move to {families}, or to p3dn where "
                "your account still has it",
            )


def _driver_of_existing(pool: PoolPlan, _: Catalogue) -> Iterator[StackWarning]:
    """Nobody says which image nodes run that were there before the stack."""
    for gpu in {shape.instance.gpu.name: shape.instance.gpu for shape in pool.shapes}.values():
        if pool.existing and gpu.max_driver is not None:
            yield StackWarning(
                path=f"{pool.path}.instanceType",
                message=f"{gpu.label} runs with drivers up to {gpu.max_driver}: the nodes must have such a driver",
            )


def _types_key(pool: PoolPlan) -> str:
    key = "instanceType" if not pool.launched else "instanceTypes" if _explicit(pool) else "families"
    return f"{pool.path}.{key}"


def _explicit(pool: PoolPlan) -> bool:
    return pool.launched is not None and bool(pool.launched.instance_types)


def _unlike_gpus(pool: PoolPlan, _: Catalogue) -> Iterator[StackWarning]:
    for resource in pool.resources:
        memory = {one.gpu_memory_mib for shape in pool.shapes for one in shape.slices if one.resource == resource}
        if len(memory) <= 1:
            continue
        yield StackWarning(
            path=_types_key(pool),
            message=f"a slice is {min(memory)} MiB of GPU memory on one type and {max(memory)} on another: size models "
            "for the smallest, or make one pool per GPU",
        )


def _short_of_room(pool: PoolPlan, _: Catalogue) -> Iterator[StackWarning]:
    for shape in pool.shapes:
        if shape.bounds.short_of:
            yield StackWarning(
                path=f"{pool.path}.replicas",
                message=f"{shape.instance.name} advertises {_slices(shape)} but has {' and '.join(shape.bounds.short_of)}"
                f" for {shape.bounds.usable} pods of {pool.pod_requests.cpu} CPU and {pool.pod_requests.memory}",
            )


def _many(pool: PoolPlan, _: Catalogue) -> Iterator[StackWarning]:
    if pool.replicas > MANY_REPLICAS:
        yield StackWarning(
            path=f"{pool.path}.replicas",
            message=f"{pool.replicas} slices per {'MIG instance' if pool.strategy == 'mig' else 'GPU'}: {_at_full_load(pool)}",
        )


def _at_full_load(pool: PoolPlan) -> str:
    if pool.strategy == "mps":
        return f"each may use at most 1/{pool.replicas} of the GPU's threads, also when the others are idle"
    return f"when all are busy each gets about 1/{pool.replicas} of the time"


def _little_memory(pool: PoolPlan, _: Catalogue) -> Iterator[StackWarning]:
    small = [shape for shape in pool.shapes if shape.gpu_memory_mib_per_slice < LITTLE_MEMORY_MIB]
    if small and not pool.exclusive:
        least = min(shape.gpu_memory_mib_per_slice for shape in small)
        types = ", ".join(sorted(shape.instance.name for shape in small))
        yield StackWarning(
            path=f"{pool.path}.replicas",
            message=f"{least} MiB of GPU memory per slice on {types}; a CUDA context alone takes hundreds"
            + ("" if pool.memory_enforced else ", and nothing enforces the share"),
        )


def _single_before_partition(pool: PoolPlan, _: Catalogue) -> Iterator[StackWarning]:
    """The plugin and the MIG manager start side by side on a new node, and nothing holds pods back until both are done."""
    if pool.strategy == "mig" and pool.sharing.mig and pool.sharing.mig.strategy == "single":
        yield StackWarning(
            path=f"{pool.path}.sharing.mig.strategy",
            message=f"until its GPUs are partitioned a new node offers whole ones as {pool.resource}: a pod that waits may "
            "take one, which then cannot be partitioned; mixed has names of its own",
        )


def _max_unreachable(pool: PoolPlan, _: Catalogue) -> Iterator[StackWarning]:
    group = pool.node_group
    if group is not None and group.max > group.desired:
        yield StackWarning(
            path=f"{pool.path}.max",
            message=f"nothing scales this group: {group.max} nodes are reached only by raising desired by hand",
        )


def _many_node_pools(_: Settings, pools: Sequence[PoolPlan]) -> Iterator[StackWarning]:
    sliced = sum(len(pool.node_pools) for pool in pools if not pool.exclusive)
    if sliced > MANY_NODE_POOLS:
        yield StackWarning(
            path="gpuNodePools",
            message=f"{sliced} sliced NodePools: Karpenter evaluates overlays quadratically (40 take about 7 s a change)",
        )


def _several_counts(pool: PoolPlan, _: Catalogue) -> Iterator[StackWarning]:
    if len(pool.node_pools) > 1:
        names = ", ".join(one.name for one in pool.node_pools)
        yield StackWarning(
            path=f"{pool.path}.gpusPerNode",
            message=f"several GPU counts make several NodePools ({names}); nodes with fewer GPUs are tried first, "
            "because packing onto big nodes costs more",
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


def _slices(shape: NodeShape) -> str:
    return " and ".join(f"{count} {resource}" for resource, count in sorted(shape.advertised.items()))


_POOL_RULES: Final[tuple[PoolRule, ...]] = (
    _retired,
    _driver_of_existing,
    _unlike_gpus,
    _several_counts,
    _short_of_room,
    _many,
    _little_memory,
    _single_before_partition,
    _max_unreachable,
)
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
