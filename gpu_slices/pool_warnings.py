"""What is allowed of a GPU pool but should be known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from .catalogue import Catalogue
from .stack_warning import StackWarning

if TYPE_CHECKING:
    from .pool_plan import NodeShape, PoolPlan

#: More slices than EKS's own guide goes to (it shows 2 to 8).
MANY_REPLICAS: Final = 8
#: Less GPU memory per slice than a CUDA context with a small model needs.
LITTLE_MEMORY_MIB: Final = 2048

PoolRule = Callable[["PoolPlan", Catalogue], Iterator[StackWarning]]


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


def _several_counts(pool: PoolPlan, _: Catalogue) -> Iterator[StackWarning]:
    if len(pool.node_pools) > 1:
        names = ", ".join(one.name for one in pool.node_pools)
        yield StackWarning(
            path=f"{pool.path}.gpusPerNode",
            message=f"several GPU counts make several NodePools ({names}); nodes with fewer GPUs are tried first, "
            "because packing onto big nodes costs more",
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


def _slices(shape: NodeShape) -> str:
    return " and ".join(f"{count} {resource}" for resource, count in sorted(shape.advertised.items()))


POOL_RULES: Final[tuple[PoolRule, ...]] = (
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
