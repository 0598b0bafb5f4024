"""Figures of one run, from the load client's record. Times in seconds, rates per second.

Tokens are counted by arrival inside the window over all requests, also those that began before it or ended after it;
latencies are those of the requests that were due inside the window, measured from when they were due.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from .stats import percentile

Record = dict[str, Any]
BURST_S = 0.0005  # tokens of one target closer than this left the server in one step
ENOUGH_FOR_P99 = 500


@dataclass(frozen=True, kw_only=True)
class Slo:
    """A request is good when its first token and its mean time per further token keep within these seconds."""

    ttft_s: float = 0.5
    tpot_s: float = 0.05


DEFAULT_SLO = Slo()


@dataclass(frozen=True, kw_only=True)
class Latencies:
    """Sorted seconds: time to first token, per further token (per request), between tokens, and whole request."""

    ttft: tuple[float, ...]
    tpot: tuple[float, ...]
    itl: tuple[float, ...]
    e2e: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class TargetFigures:
    """What one driven target did in the window. `resolution`: one server step's tokens over all, relative."""

    tokens: int
    token_rate: float
    requests: int
    goodput: float
    latencies: Latencies
    resolution: float


@dataclass(frozen=True, kw_only=True)
class RunFigures:
    """One sound run. `session`: which start of the benchmark it belongs to; only runs of one session are compared.

    `load` names the offered load, `rate` is requests per second and target (None: closed loop). `overlap`: share of the window in which every driven target had a request in flight. `gpu`: means of the GPU's own
    readings over the window, empty where there were none.
    """

    mode: str
    condition: str
    servers: int
    session: int
    repeat: int
    seed: int
    load: str
    rate: float | None
    warmup_s: float
    window_s: float
    output_tokens: int
    targets: dict[str, TargetFigures]
    overlap: float
    lateness_p99: float
    gpu: dict[str, float]

    @property
    def models(self) -> tuple[str, ...]:
        """The models driven, sorted, with repetition."""
        return tuple(sorted(model_of(name) for name in self.targets))

    @property
    def busy(self) -> float:
        """Share of the window in which the GPU had work; 1 where it was not read."""
        return self.gpu.get("utilization.gpu", 100.0) / 100

    @property
    def token_rate(self) -> float:
        """Tokens per second of all targets."""
        return sum(target.token_rate for target in self.targets.values())


def model_of(target: str) -> str:
    """The model a target serves: its name without the trailing number ("3b-1" serves "3b")."""
    stem, _, number = target.rpartition("-")
    return stem if stem and number.isdigit() else target


def arrivals_of(request: Record) -> list[float]:
    """Arrival times of a request's tokens, relative to the window's start."""
    if request["first"] is None:
        return []
    return list(accumulate((gap / 1e6 for gap in request["gaps_us"]), initial=request["first"]))


def burst_size(times: Sequence[float]) -> int:
    """The median number of tokens that arrive together: what a shift of the window by one step adds or drops."""
    sizes: list[int] = []
    last = None
    for time in sorted(times):
        if last is None or time - last > BURST_S:
            sizes.append(0)
        sizes[-1] += 1
        last = time
    return sorted(sizes)[len(sizes) // 2] if sizes else 0


def latencies_of(due: Iterable[Record], all_requests: Iterable[Record], window_s: float) -> Latencies:
    """Latencies of the requests due in the window; gaps of all tokens that arrived in it."""
    ttft: list[float] = []
    tpot: list[float] = []
    e2e: list[float] = []
    for request in due:
        first, scheduled = request["first"], request["scheduled"]
        rest = sum(request["gaps_us"]) / 1e6
        ttft.append(first - scheduled)
        e2e.append(first + rest - scheduled)
        if request["gaps_us"]:
            tpot.append(rest / len(request["gaps_us"]))
    itl = [
        gap / 1e6
        for request in all_requests
        for gap, time in zip(request["gaps_us"], arrivals_of(request)[1:], strict=True)
        if 0.0 <= time < window_s
    ]
    return Latencies(ttft=tuple(sorted(ttft)), tpot=tuple(sorted(tpot)), itl=tuple(sorted(itl)), e2e=tuple(sorted(e2e)))


def is_good(request: Record, slo: Slo) -> bool:
    """Whether a request kept within the objective."""
    gaps = request["gaps_us"]
    tpot = sum(gaps) / 1e6 / len(gaps) if gaps else 0.0
    return request["first"] - request["scheduled"] <= slo.ttft_s and tpot <= slo.tpot_s


def target_figures(requests: Sequence[Record], window_s: float, slo: Slo) -> TargetFigures:
    """One target's figures from its requests."""
    times = [time for request in requests for time in arrivals_of(request) if 0.0 <= time < window_s]
    due = [request for request in requests if request["status"] == "ok" and 0.0 <= request["scheduled"] < window_s]
    return TargetFigures(
        tokens=len(times),
        token_rate=len(times) / window_s,
        requests=len(due),
        goodput=sum(is_good(request, slo) for request in due) / window_s,
        latencies=latencies_of(due, requests, window_s),
        resolution=burst_size(times) / max(1, len(times)),
    )


def busy_spans(requests: Iterable[Record], window_s: float) -> list[tuple[float, float]]:
    """When a target had a request in flight, as disjoint spans clipped to the window."""
    spans: list[tuple[float, float]] = []
    for request in sorted(requests, key=lambda item: item["scheduled"]):
        end = min(window_s, (arrivals_of(request) or [request["scheduled"]])[-1])
        start = max(0.0, request["scheduled"])
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        elif start < end:
            spans.append((start, end))
    return spans


def overlap_share(by_target: Iterable[Sequence[Record]], window_s: float) -> float:
    """Share of the window in which every target had a request in flight."""
    common = [(0.0, window_s)]
    for requests in by_target:
        spans = busy_spans(requests, window_s)
        common = [(max(a, c), min(b, d)) for a, b in common for c, d in spans if max(a, c) < min(b, d)]
    return sum(end - start for start, end in common) / window_s


def load_text(load: dict[str, float]) -> str:
    """`closed 8` or `open 2.5`."""
    kind, level = next(iter(load.items()))
    return f"{kind} {level:g}"


def run_figures(record: Record, slo: Slo = DEFAULT_SLO, session: int = 0) -> RunFigures:
    """The figures of a sound run.

    Raises:
        ValueError: the record says that the run failed; no figure is taken from it.
    """
    if record["status"] != "ok":
        raise ValueError(f"run {record['index']} failed: {'; '.join(record['problems'])}")
    window_s = record["window_s"]
    by_target = {name: [row for row in record["requests"] if row["target"] == name] for name in record["drive"]}
    late = sorted(row["started"] - row["scheduled"] for row in record["requests"])
    return RunFigures(
        mode=record["labels"].get("mode", ""),
        condition=record["condition"],
        servers=record["servers"],
        session=session,
        repeat=record["repeat"],
        seed=record["seed"],
        load=record["labels"].get("load") or load_text(record["load"]),
        rate=record["load"].get("open"),
        warmup_s=record["warmup_s"],
        window_s=window_s,
        output_tokens=record["output_tokens"],
        targets={name: target_figures(requests, window_s, slo) for name, requests in by_target.items()},
        overlap=overlap_share(by_target.values(), window_s),
        lateness_p99=percentile(late, 0.99) if late else 0.0,
        gpu=record.get("gpu") or {},
    )
