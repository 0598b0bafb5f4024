"""Rules over `benchmark` and the keys it leans on: its pool, the system nodes, the tenants."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from typing import Final

from .. import catalogue
from ..bench.metrics import model_of
from .benchmark import BenchmarkModel, are_copies, conditions_of, slices_needed
from .effective import gpu_pools, replicas_of, selection_of
from .mistakes import Mistake, did_you_mean
from .model import Settings

Check = Callable[[Settings], Iterator[Mistake]]

#: Families that run on CPU credits: once they are spent, the client itself is what is slow.
_BURSTABLE: Final = frozenset({"t2", "t3", "t3a", "t4g"})


def _pool_exists(settings: Settings) -> Iterator[Mistake]:
    pools, benchmark = gpu_pools(settings), settings.benchmark
    if benchmark is not None and benchmark.pool not in pools:
        yield Mistake(
            path="benchmark.pool",
            problem=f"there is no GPU pool {benchmark.pool!r}",
            remedy=did_you_mean(benchmark.pool, pools) if pools else "declare it under gpuNodeGroups or gpuNodePools",
        )


def _pool_has_one_gpu(settings: Settings) -> Iterator[Mistake]:
    """On a node with several GPUs two servers may land on different ones, and nothing would be shared."""
    benchmark, pools = settings.benchmark, gpu_pools(settings)
    if benchmark is None or benchmark.pool not in pools:
        return
    types = [one for several in selection_of(pools[benchmark.pool], catalogue.load()).types.values() for one in several]
    if several := sorted(one.name for one in types if one.gpu_count != 1):
        yield Mistake(
            path="benchmark.pool",
            problem=f"{several[0]} has several GPUs: the servers could land on different ones",
            remedy="name a pool of single-GPU types such as g6e.2xlarge",
        )
    if len({(one.gpu.name, one.gpu_memory_mib) for one in types}) > 1:
        yield Mistake(
            path="benchmark.pool",
            problem=f"{benchmark.pool} has different GPUs ({', '.join(sorted({one.gpu.label for one in types}))})",
            remedy="name a pool of one GPU, so that it is known what was measured",
        )


def _pool_has_the_slices(settings: Settings) -> Iterator[Mistake]:
    benchmark, pools = settings.benchmark, gpu_pools(settings)
    if benchmark is None or benchmark.pool not in pools:
        return
    replicas, needed = replicas_of(settings, pools[benchmark.pool]), slices_needed(benchmark)
    if replicas < needed:
        yield Mistake(
            path="benchmark.models",
            problem=f"{needed} slices of one GPU are needed, {benchmark.pool} has {replicas}",
            remedy=f"raise the pool's replicas to {needed}, or name fewer models",
        )


def _conditions_fit(settings: Settings) -> Iterator[Mistake]:
    benchmark = settings.benchmark
    if benchmark is None:
        return
    path, named = "benchmark.conditions", set(conditions_of(benchmark))
    if len(benchmark.models) == 1 and named & {"idle-neighbour", "one-server", "shared"}:
        yield Mistake(path=path, problem="a single model has nobody to share with", remedy="name a second model")
        return
    if "one-server" in named and not are_copies(benchmark):
        yield Mistake(
            path=path,
            problem="one-server asks whether one server could do the work of its copies, and the models differ",
            remedy="remove it, or name copies of one model: phi-1, phi-2",
        )
    baselines = {"idle-neighbour", "exclusive"} if are_copies(benchmark) else {"idle-neighbour"}
    if "shared" in named and not named & baselines:
        yield Mistake(
            path=path,
            problem="shared has nothing to be compared with for each of the models",
            remedy=f"add {' or '.join(sorted(baselines))}",
        )


def _names_tell_copies(settings: Settings) -> Iterator[Mistake]:
    models = settings.benchmark.models if settings.benchmark else ()
    for (_, one), (index, other) in combinations(enumerate(models), 2):
        path = f"benchmark.models[{index}].name"
        if one.name == other.name:
            yield Mistake(path=path, problem=f"the name {one.name!r} is used twice", remedy="give each server its own")
        elif model_of(one.name) == model_of(other.name) and _same(one) != _same(other):
            yield Mistake(
                path=path,
                problem=f"{one.name} and {other.name} read as copies of one model and are not",
                remedy="let names differ in more than the number at the end, or make the servers equal",
            )


def _same(model: BenchmarkModel) -> tuple[object, ...]:
    return (model.model, model.revision, model.memory_gib, model.kv_cache_gib)


def _cache_is_for_the_engine(settings: Settings) -> Iterator[Mistake]:
    benchmark = settings.benchmark
    for index, model in enumerate(benchmark.models if benchmark else ()):
        path, cache = f"benchmark.models[{index}].kvCacheGiB", model.kv_cache_gib
        if benchmark and benchmark.engine == "tgi" and cache is not None:
            yield Mistake(path=path, problem="TGI sizes its cache by itself", remedy="remove it; memoryGiB bounds it")
        if benchmark and benchmark.engine == "vllm" and cache is None:
            yield Mistake(path=path, problem="is missing", remedy="write the same cache for every condition, such as 2")
        if cache is not None and cache >= model.memory_gib:
            yield Mistake(
                path=path,
                problem=f"{cache:g} GiB leave nothing of memoryGiB {model.memory_gib:g} for the weights",
                remedy="write less, or raise memoryGiB",
            )


def _something_is_offered(settings: Settings) -> Iterator[Mistake]:
    benchmark = settings.benchmark
    if benchmark and not benchmark.load.closed and not benchmark.load.open:
        yield Mistake(path="benchmark.load", problem="neither closed nor open load", remedy="write closed: [1, 8]")


def _client_has_steady_cpus(settings: Settings) -> Iterator[Mistake]:
    kind = settings.system_nodes.instance_type
    if settings.benchmark and kind.partition(".")[0] in _BURSTABLE:
        yield Mistake(
            path="systemNodes.instanceType",
            problem=f"{kind} runs on CPU credits, which distort a load client",
            remedy="write a type such as m7i.large while benchmark is there",
        )


def _namespace_is_its_own(settings: Settings) -> Iterator[Mistake]:
    benchmark = settings.benchmark
    if benchmark and benchmark.namespace in settings.tenants:
        yield Mistake(
            path="benchmark.namespace",
            problem=f"{benchmark.namespace} is a tenant's, whose pods must meet the restricted level",
            remedy="choose another name",
        )


_POOL_KEYS: Final = ("benchmark", "gpuNodeGroups", "gpuNodePools", "replicas")
BENCHMARK_CHECKS: Final[Mapping[Check, tuple[str, ...]]] = {
    _pool_exists: _POOL_KEYS,
    _pool_has_one_gpu: _POOL_KEYS,
    _pool_has_the_slices: _POOL_KEYS,
    _conditions_fit: ("benchmark",),
    _names_tell_copies: ("benchmark",),
    _cache_is_for_the_engine: ("benchmark",),
    _something_is_offered: ("benchmark",),
    _client_has_steady_cpus: ("systemNodes",),
    _namespace_is_its_own: ("benchmark", "tenants"),
}
