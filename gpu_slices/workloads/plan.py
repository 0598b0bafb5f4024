"""What each sample workload of a stack amounts to: how many pods, where, with which requests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..capacity import left_for_pods
from ..daemons import Daemon, gpu_node_daemons
from ..pool_plan import NodeShape, PoolPlan
from ..quantities import mebibytes, millicores
from ..settings import Settings
from ..settings.workload_checks import pods_of
from ..stack_warning import StackWarning
from .catalogue import SAMPLES, Sample
from .cuda import cuda_range, written


@dataclass(frozen=True, kw_only=True)
class WorkloadPlan:
    """One sample workload. Each pod asks for one `resource`, `millicpu` and `mebibytes`; `tenant` is its namespace."""

    name: str
    sample: Sample
    pool: str
    resource: str
    tenant: str
    #: The user that its pods run as; None: any but root.
    user: int | None
    pods: int
    millicpu: int
    mebibytes: int


def plan_workloads(settings: Settings, pools: Sequence[PoolPlan]) -> tuple[WorkloadPlan, ...]:
    """The stack's sample workloads by name."""
    by_name = {pool.name: pool for pool in pools}
    return tuple(_plan(settings, name, by_name) for name in sorted(settings.workloads))


def workload_warnings(workloads: Sequence[WorkloadPlan], pools: Sequence[PoolPlan]) -> Iterator[StackWarning]:
    """Images that do not know a GPU of their pool; pods for which the pool has no slices."""
    by_name = {pool.name: pool for pool in pools}
    for workload in workloads:
        yield from _image_and_gpu(workload, by_name[workload.pool])
        yield from _no_slice(workload, by_name[workload.pool])


def _plan(settings: Settings, name: str, pools: dict[str, PoolPlan]) -> WorkloadPlan:
    asked = settings.workloads[name]
    pool = pools[asked.pool]
    millicpu, memory = _requests(pool, gpu_node_daemons(settings, pool.strategy))
    return WorkloadPlan(
        name=name,
        sample=SAMPLES[name],
        pool=pool.name,
        resource=_resource(pool, asked.mig_profile),
        tenant=asked.tenant,
        user=pool.run_as_user,
        pods=pods_of(name, asked),
        millicpu=millicpu,
        mebibytes=memory,
    )


def _resource(pool: PoolPlan, profile: str | None) -> str:
    return next((one.resource for one in pool.shapes[0].slices if one.profile == profile), pool.resource)


def _requests(pool: PoolPlan, daemons: Sequence[Daemon]) -> tuple[int, int]:
    """CPU in millicores and memory in MiB with which every slice of every type of the pool finds its pod.

    The pool's `podRequests`, or a slice's share of what the DaemonSets leave of the node where that is less.
    """
    cpu, memory = millicores(pool.pod_requests.cpu), mebibytes(pool.pod_requests.memory)
    for shape in pool.shapes:
        free_cpu, free_memory = left_for_pods(shape.instance, daemons)
        pods = max(1, _pods_per_node(shape))
        cpu, memory = min(cpu, free_cpu // pods), min(memory, free_memory // pods)
    return max(1, cpu), max(1, memory)


def _image_and_gpu(workload: WorkloadPlan, pool: PoolPlan) -> Iterator[StackWarning]:
    version = workload.sample.cuda
    for gpu in {shape.instance.gpu.name: shape.instance.gpu for shape in pool.shapes}.values():
        known = cuda_range(gpu)
        if not known.holds(version):
            yield StackWarning(
                path=f"workloads.{workload.name}.pool",
                message=f"{workload.sample.image} carries CUDA {written(version)}; {gpu.label} needs {known}",
            )


def _no_slice(workload: WorkloadPlan, pool: PoolPlan) -> Iterator[StackWarning]:
    slices = _slices_at_once(pool, workload.resource)
    if workload.pods > slices:
        yield StackWarning(
            path=f"workloads.{workload.name}.pods",
            message=f"{workload.pods} pods, but {pool.name} holds {slices} at once: the others stay pending",
        )


def _slices_at_once(pool: PoolPlan, resource: str) -> int:
    """Slices of the nodes that stand there without Karpenter, or that it may launch at most."""
    if not pool.launched:
        return pool.standing_nodes * _of(pool.shapes[0], resource)
    return sum(
        one.most_nodes
        * max(_of(shape, resource) for shape in pool.shapes if shape.instance.gpu_count == one.gpus_per_node)
        for one in pool.node_pools
    )


def _of(shape: NodeShape, resource: str) -> int:
    return min(shape.advertised[resource], _pods_per_node(shape))


def _pods_per_node(shape: NodeShape) -> int:
    """One-slice pods of a sample that a node holds: its slices, unless it may not run as many pods."""
    return max(0, min(shape.bounds.slices, shape.bounds.pods))
