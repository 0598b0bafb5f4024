"""What a stack's benchmark amounts to: servers with their memory, runs in blocks, how long it all takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import TYPE_CHECKING, Any, Final

from .bench.campaign import ALONE, Campaign, Cell, Stage, run_of, stages
from .bench.client.plan import read_plan
from .settings import Settings
from .settings.benchmark import AFTER_A_VISIT, Benchmark, BenchmarkModel, conditions_of

if TYPE_CHECKING:
    from .pool_plan import PoolPlan

PORT: Final = 8000
#: How long a client waits for servers that Kubernetes calls ready: DNS may still answer that there is no such name.
READY_S: Final = 300
#: For a client's own start: pulling a small image.
_START_S: Final = 180
#: Tokens of a prompt per word at most, and beside: its first word is the request's number, which takes several.
_TOKENS_PER_WORD: Final = 2
_MORE_TOKENS: Final = 64
#: Requests that a server batches where load is open and no number of streams says how many there are.
_OPEN_SEQUENCES: Final = 64
#: TGI takes 0.9 of what `--cuda-memory-fraction` names (facts: v3.3.7, flash_causal_lm.py).
_TGI_SHARE: Final = 0.9
_GIB: Final = 1024**3


@dataclass(frozen=True, kw_only=True)
class ServerPlan:
    """One model server. `memory_fraction` is what its engine must be told: see `_fractions`."""

    name: str
    model: BenchmarkModel
    memory_fraction: float
    kv_cache_bytes: int | None

    @property
    def url(self) -> str:
        """Where the client in the same namespace reaches it."""
        return f"http://{self.name}:{PORT}/v1/completions"


@dataclass(frozen=True, kw_only=True)
class Block:
    """One repeat of all runs of a phase: what one client is told. `limit_s`: the most it may take, waiting included."""

    phase: str
    repeat: int
    plan: dict[str, Any]
    limit_s: int

    @property
    def name(self) -> str:
        """`alone-0`."""
        return f"{self.phase}-{self.repeat}"

    @property
    def runs(self) -> int:
        """How many runs it makes."""
        return len(self.plan["runs"])


@dataclass(frozen=True, kw_only=True)
class BenchmarkPlan:
    """Servers in the order they start, and blocks in the order they run.

    Phases: `fresh` and `alone` with the first server only, the latter after a visit; `together` with all. `digests`
    are those that the stack pins its images to.
    """

    settings: Benchmark
    pool: PoolPlan
    campaign: Campaign
    servers: tuple[ServerPlan, ...]
    blocks: tuple[Block, ...]
    max_model_len: int
    max_sequences: int
    digests: Mapping[str, str]

    def of_phase(self, phase: str) -> tuple[Block, ...]:
        """The blocks of a phase, in order; possibly none."""
        return tuple(block for block in self.blocks if block.phase == phase)

    @property
    def visited(self) -> bool:
        """Whether a second process must have been on the GPU before runs of a single server."""
        return bool(AFTER_A_VISIT & {cell.condition for cell in self.campaign.cells})

    @property
    def least_seconds(self) -> int:
        """Warm-ups and measurements alone; starting servers and ending requests come on top."""
        runs = sum(block.runs for block in self.blocks)
        return runs * (self.settings.warmup_seconds + self.settings.window_seconds)


def plan_benchmark(settings: Settings, pools: Sequence[PoolPlan]) -> BenchmarkPlan | None:
    """The plan of valid settings; None where they ask for no benchmark."""
    benchmark = settings.benchmark
    if benchmark is None:
        return None
    pool = next(pool for pool in pools if pool.name == benchmark.pool)
    campaign = _campaign(benchmark)
    servers = _servers(benchmark, pool)
    return BenchmarkPlan(
        settings=benchmark,
        pool=pool,
        campaign=campaign,
        servers=servers,
        blocks=tuple(_blocks(benchmark, campaign, servers)),
        max_model_len=benchmark.prompt_words * _TOKENS_PER_WORD + _MORE_TOKENS + benchmark.output_tokens,
        max_sequences=campaign.max_batch,
        digests=settings.security.digests,
    )


def _campaign(benchmark: Benchmark) -> Campaign:
    cells = tuple(_cells(benchmark))
    streams = [int(cell.load["closed"]) for cell in cells if "closed" in cell.load]
    floor = _OPEN_SEQUENCES if benchmark.load.open else 1
    return Campaign(
        cells=cells,
        mode=benchmark.engine,
        seed=benchmark.seed,
        models=tuple(model.name for model in benchmark.models),
        max_batch=max([*streams, floor]),
        prompt_words=benchmark.prompt_words,
        output_tokens=benchmark.output_tokens,
    )


def _cells(benchmark: Benchmark) -> Iterator[Cell]:
    """Condition × load. With an idle neighbour every model is driven once, so that each has runs of its own alone."""
    count = len(benchmark.models)
    loads = [{"closed": float(streams)} for streams in benchmark.load.closed]
    loads += [{"open": rate} for rate in benchmark.load.open]
    for condition in conditions_of(benchmark):
        for load in loads:
            driven_first = range(count) if condition == "idle-neighbour" else [0]
            times = count if condition == "one-server" else 1
            for first in driven_first:
                yield Cell(
                    condition=condition,
                    servers=1 if condition in ALONE else count,
                    load={kind: level * times for kind, level in load.items()},
                    repeats=benchmark.repeats,
                    first=first,
                    warmup_s=float(benchmark.warmup_seconds),
                    window_s=float(benchmark.window_seconds),
                    drain_s=float(benchmark.drain_seconds),
                )


def _servers(benchmark: Benchmark, pool: PoolPlan) -> tuple[ServerPlan, ...]:
    fractions = _fractions(benchmark, pool.shapes[0].instance.gpu_memory_mib / 1024)
    return tuple(
        ServerPlan(
            name=model.name,
            model=model,
            memory_fraction=fraction,
            kv_cache_bytes=None if model.kv_cache_gib is None else int(model.kv_cache_gib * _GIB),
        )
        for model, fraction in zip(benchmark.models, fractions, strict=True)
    )


def _fractions(benchmark: Benchmark, gpu_gib: float) -> list[float]:
    """Each server's share of the GPU's memory, rounded down so that the sum of shares is not above the memory.

    vLLM's is its own: it refuses to start where less than that is free, also with a cache size of ours.
    TGI's is cumulative: it takes the memory of the servers before it for its own (TGI issue 1245).
    """
    sizes = [model.memory_gib for model in benchmark.models]
    if benchmark.engine == "tgi":
        sizes = [sum_so_far / _TGI_SHARE for sum_so_far in accumulate(sizes)]
    return [int(min(1.0, size / gpu_gib) * 1000) / 1000 for size in sizes]


def _blocks(benchmark: Benchmark, campaign: Campaign, servers: Sequence[ServerPlan]) -> Iterator[Block]:
    for stage in stages(campaign, range(benchmark.repeats)):
        there = servers[: stage.servers]
        for repeat, runs in groupby(stage.runs, key=lambda run: run[1]):
            names = [server.name for server in there]
            plan = {
                "seed": benchmark.seed,
                "targets": {server.name: _target(benchmark, server) for server in there},
                "runs": [run_of(campaign, cell, repeat, names, None) for cell, _ in runs],
            }
            limit = READY_S + _START_S + sum(run.limit_s for run in read_plan(plan).runs)
            yield Block(phase=_phase(stage), repeat=repeat, plan=plan, limit_s=int(limit))


def _phase(stage: Stage) -> str:
    return "fresh" if stage.fresh else "alone" if stage.servers == 1 else "together"


def _target(benchmark: Benchmark, server: ServerPlan) -> dict[str, Any]:
    """TGI cannot be told to ignore an end of text, and knows no running count of tokens."""
    body = {"ignore_eos": None, "stream_options": {"include_usage": True}} if benchmark.engine == "tgi" else {}
    return {"url": server.url, "model": server.name, "body": body}
