"""What should be known of a benchmark before `up`: what it takes, what will not fit, who could disturb it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from .benchmark_plan import BenchmarkPlan, plan_benchmark
from .cost.prices import gpu_node_price
from .settings import Settings

if TYPE_CHECKING:
    from .pool_plan import PoolPlan

#: What an engine leaves of the GPU's memory at most: TGI keeps a tenth of what it is given.
_USABLE: Final = {"vllm": 1.0, "tgi": 0.9}


def benchmark_remarks(settings: Settings, pools: Sequence[PoolPlan]) -> Iterator[tuple[str, str]]:
    """Key and message of each warning; none where there is no benchmark."""
    plan = plan_benchmark(settings, pools)
    if plan is not None:
        yield ("benchmark", _what_it_takes(settings, plan))
        yield from _does_not_fit(plan)
        yield from _others_on_the_gpu(settings, plan)


def _what_it_takes(settings: Settings, plan: BenchmarkPlan) -> str:
    runs, minutes = sum(block.runs for block in plan.blocks), -(-plan.least_seconds // 60)
    price = cheapest_node_price(settings, plan)
    cost = "a GPU node of unknown price" if price is None else f"a GPU node of ${price:.2f} an hour"
    return (
        f"`up` waits for {runs} runs, {minutes} minutes of load at the least, on {cost}; a change of anything in it "
        "repeats all of it: collect, then remove the key"
    )


def cheapest_node_price(settings: Settings, plan: BenchmarkPlan) -> float | None:
    """USD per hour on demand of the cheapest node that the servers may run on; None where it is not known."""
    prices = [gpu_node_price(settings, shape.instance).usd for shape in plan.pool.shapes]
    known = [price for price in prices if price is not None]
    return min(known) if known else None


def _does_not_fit(plan: BenchmarkPlan) -> Iterator[tuple[str, str]]:
    engine = plan.settings.engine
    there = plan.pool.shapes[0].instance.gpu_memory_mib / 1024 * _USABLE[engine]
    asked = sum(model.memory_gib for model in plan.settings.models)
    if asked > there:
        yield (
            "benchmark.models",
            f"{asked:g} GiB of memoryGiB on a GPU that offers {there:.1f} GiB to {engine}: the last server will not "
            "start, or with next to no cache",
        )


def _others_on_the_gpu(settings: Settings, plan: BenchmarkPlan) -> Iterator[tuple[str, str]]:
    pool = plan.pool.name
    names = [name for name, tenant in settings.tenants.items() if not tenant.pools or pool in tenant.pools]
    if names:
        yield (
            "benchmark.pool",
            f"pods of {', '.join(sorted(names))} may take slices of {pool} too; whatever else runs on the GPU is "
            "measured with it",
        )
