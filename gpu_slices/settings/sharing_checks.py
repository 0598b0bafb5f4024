"""Rules of MPS and MIG: what a card can do, and which GPU stack can make it do so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from .. import catalogue
from ..advertised import per_gpu, profiles_of
from ..catalogue import Gpu, InstanceType
from ..mig import too_much
from .effective import GpuPool, gpu_pools, pool_path, replicas_of, selection_of, sharing_of
from .mistakes import Mistake, listed
from .model import Settings
from .sharing import Mig

Check = Callable[[Settings], Iterator[Mistake]]

#: Clients of one MPS daemon: device plugin v0.20.0, cmd/mps-control-daemon/mps/device.go.
MPS_CLIENTS: Final = 48
MPS_CLIENTS_BEFORE: Final = 16
MPS_FULL_COMPUTE_CAPABILITY: Final = (7, 5)


def mps_clients(gpu: Gpu) -> int:
    """Most clients, hence replicas, of one GPU under MPS."""
    return MPS_CLIENTS if gpu.compute_capability >= MPS_FULL_COMPUTE_CAPABILITY else MPS_CLIENTS_BEFORE


def _pools_with(settings: Settings, strategy: str) -> dict[str, GpuPool]:
    return {name: pool for name, pool in gpu_pools(settings).items() if sharing_of(settings, pool).strategy == strategy}


def _types(pool: GpuPool) -> list[InstanceType]:
    return [one for several in selection_of(pool, catalogue.load()).types.values() for one in several]


def _mps_has_few_clients(settings: Settings) -> Iterator[Mistake]:
    for name, pool in _pools_with(settings, "mps").items():
        gpus = {one.gpu.name: one.gpu for one in _types(pool)}
        weakest = min(gpus.values(), key=mps_clients, default=None)
        replicas = replicas_of(settings, pool)
        if weakest is not None and replicas > mps_clients(weakest):
            yield Mistake(
                path="replicas" if pool.replicas is None else f"{pool_path(settings, name)}.replicas",
                problem=f"{replicas} slices per GPU under MPS, whose daemon takes {mps_clients(weakest)} clients on "
                f"{weakest.label}",
                remedy=f"write at most {mps_clients(weakest)}, or strategy: time-slicing",
            )


def _mps_is_alone_under_the_operator(settings: Settings) -> Iterator[Mistake]:
    if settings.gpu_stack != "gpu-operator":
        return
    shared = {
        name
        for name, pool in gpu_pools(settings).items()
        if replicas_of(settings, pool) > 1 or sharing_of(settings, pool).strategy == "mig"
    }
    mps = [name for name in _pools_with(settings, "mps") if name in shared]
    others = sorted(shared - set(mps))
    for name in mps if others else []:
        yield Mistake(
            path=_strategy_key(settings, name),
            problem=f"MPS beside {listed(others)}, shared otherwise: the operator restarts the MPS daemons at every edit "
            "of any pool, and their clients die",
            remedy="write gpuStack: device-plugin, which keeps them apart, or one strategy for all pools",
        )


def _mig_needs_the_operator(settings: Settings) -> Iterator[Mistake]:
    if settings.gpu_stack == "gpu-operator":
        return
    for name in _pools_with(settings, "mig"):
        yield Mistake(
            path=_strategy_key(settings, name),
            problem="MIG under gpuStack: device-plugin, where nothing partitions the cards",
            remedy="write gpuStack: gpu-operator",
        )


def _a_layout_is_for_mig(settings: Settings) -> Iterator[Mistake]:
    for name, pool in gpu_pools(settings).items():
        strategy = sharing_of(settings, pool).strategy
        if pool.sharing.mig is not None and strategy != "mig":
            yield _layout_beside(f"{pool_path(settings, name)}.sharing", strategy)
    if settings.sharing.mig is not None and not _pools_with(settings, "mig"):
        yield _layout_beside("sharing", settings.sharing.strategy)


def _layout_beside(path: str, strategy: str) -> Mistake:
    both = "MPS with MIG: the plugin refuses MPS on MIG instances" if strategy == "mps" else f"a layout for {strategy}"
    return Mistake(path=f"{path}.mig", problem=both, remedy=f"remove it, or write {path}.strategy: mig")


def _layouts_are_whole(settings: Settings) -> Iterator[Mistake]:
    for name, pool in _pools_with(settings, "mig").items():
        layout = sharing_of(settings, pool).mig
        if layout is None or not (layout.profiles or layout.gpus):
            yield Mistake(
                path=f"{_layout_key(settings, name)}.profiles",
                problem="strategy mig without profiles",
                remedy=f"write such as {{{_example(pool)}}}",
            )
            continue
        path = _layout_key(settings, name)
        if layout.profiles and layout.gpus:
            yield Mistake(path=f"{path}.gpus", problem="stands beside profiles", remedy="remove one of them")
        elif layout.strategy == "single" and len(profiles_of(layout)) > 1:
            yield Mistake(
                path=f"{path}.strategy",
                problem=f"single, but there are {listed(list(profiles_of(layout)))}",
                remedy="write mixed, or one profile",
            )
        else:
            yield from _fits(path, layout, pool)


def _fits(path: str, layout: Mig, pool: GpuPool) -> Iterator[Mistake]:
    divided = sum(part.count for part in layout.gpus)
    for one in _types(pool):
        known = one.gpu.mig_profiles.get(one.gpu_memory_mib)
        if not known:
            yield Mistake(
                path=path,
                problem=f"{one.gpu.label} ({one.name}) has no MIG",
                remedy=f"write strategy: time-slicing or mps, or take {' or '.join(_with_mig())}",
            )
        elif lacking := [name for name in profiles_of(layout) if name not in known]:
            yield Mistake(
                path=path,
                problem=f"{one.gpu.label} of {one.gpu_memory_mib // 1024} GiB ({one.name}) has no profile "
                f"{listed(lacking)}",
                remedy=f"it has {listed(list(known), 8)}",
            )
        elif layout.gpus and divided != one.gpu_count:
            yield Mistake(
                path=f"{path}.gpus",
                problem=f"is about {divided} GPUs, {one.name} has {one.gpu_count}",
                remedy=f"write counts that sum to {one.gpu_count}",
            )
        else:
            words = {too_much(profiles, known, one.gpu_memory_mib) for profiles in per_gpu(layout, one.gpu_count)}
            for word in sorted(word for word in words if word):
                yield Mistake(
                    path=path,
                    problem=f"does not fit {one.gpu.label} ({one.name}), which has {word}",
                    remedy="write fewer instances",
                )


def _strategy_key(settings: Settings, name: str) -> str:
    own = gpu_pools(settings)[name].sharing.strategy is not None
    return f"{pool_path(settings, name)}.sharing.strategy" if own else "sharing.strategy"


def _layout_key(settings: Settings, name: str) -> str:
    own = gpu_pools(settings)[name].sharing
    of_the_pool = own.mig is not None or own.strategy is not None
    return f"{pool_path(settings, name)}.sharing.mig" if of_the_pool else "sharing.mig"


def _example(pool: GpuPool) -> str:
    tables = [one.gpu.mig_profiles.get(one.gpu_memory_mib) for one in _types(pool)]
    name, most = next((next(iter(table.items())) for table in tables if table), ("1g.10gb", 7))
    return f"{name}: {most}"


def _with_mig() -> list[str]:
    return sorted({gpu.label for gpu in catalogue.load().gpus.values() if gpu.mig_profiles})


#: Check → keys that it interprets, as in checks.CHECKS.
SHARING_CHECKS: Mapping[Check, tuple[str, ...]] = {
    _mps_has_few_clients: ("gpuNodeGroups", "gpuNodePools", "replicas", "sharing"),
    _mps_is_alone_under_the_operator: ("gpuStack",),
    _mig_needs_the_operator: ("gpuStack",),
    _a_layout_is_for_mig: ("sharing.strategy",),
    _layouts_are_whole: ("gpuNodeGroups", "gpuNodePools", "sharing"),
}
