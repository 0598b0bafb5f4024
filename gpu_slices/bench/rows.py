"""One row per measured condition: what the report's tables and plots show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from statistics import fmean

from .metrics import DEFAULT_SLO, ENOUGH_FOR_P99, Record, RunFigures, Slo
from .open_loop import IdealLatencies, ideal_latencies, service_of
from .records import sound_runs
from .sharing import BASELINES, Comparison, Condition, NoBaselineError, by_condition, compare, rate_ratio
from .stats import Interval, mean_interval, percentile, ratio_interval


@dataclass(frozen=True, kw_only=True)
class Row:
    """One condition over its repeats. Latencies in milliseconds; p99 is None below 500 observations.

    `over_batched`: token rate of N sharing servers over one server with all their streams. `ideal_open`: open load
    under ideal sharing.
    """

    condition: Condition
    runs: int
    requests: int
    token_rate: Interval
    goodput: Interval
    ttft_p50: float
    ttft_p99: float | None
    tpot_p50: float
    itl_p99: float | None
    e2e_p50: float
    overlap: float
    gpu: dict[str, float]
    comparison: Comparison | None
    over_batched: Interval | None
    ideal_open: IdealLatencies | None


def pooled(runs: Sequence[RunFigures], kind: str) -> list[float]:
    """All targets' and runs' latencies of one kind, sorted, in milliseconds."""
    values = (getattr(target.latencies, kind) for run in runs for target in run.targets.values())
    return sorted(value * 1e3 for value in chain.from_iterable(values))


def _tail(values: Sequence[float]) -> float | None:
    return percentile(values, 0.99) if len(values) >= ENOUGH_FOR_P99 else None


def _at_least_zero(interval: Interval) -> Interval:
    return interval if interval.low is None else replace(interval, low=max(0.0, interval.low))


def _comparison(runs: Sequence[RunFigures], everything: Sequence[RunFigures]) -> Comparison | None:
    """None for the baseline itself and for what has no run alone under the same load (the one-server control)."""
    if runs[0].condition == BASELINES[0]:
        return None
    try:
        return compare(runs, [run for run in everything if run.condition in BASELINES])
    except NoBaselineError:
        return None


def _over_batched(runs: Sequence[RunFigures], everything: Sequence[RunFigures]) -> Interval | None:
    kind, level, *_ = runs[0].load.split()
    if kind != "closed" or runs[0].condition != "shared":
        return None
    wanted = (runs[0].mode, "one-server", f"closed {float(level) * len(runs[0].targets):g}", 1)
    control = [run for run in everything if (run.mode, run.condition, run.load, run.servers) == wanted]
    return rate_ratio(runs, control)


def _row(condition: Condition, runs: Sequence[RunFigures], everything: Sequence[RunFigures]) -> Row:
    ttft, tpot, itl, e2e = (pooled(runs, kind) for kind in ("ttft", "tpot", "itl", "e2e"))
    sessions = {run.session for run in runs}
    service = service_of([run for run in everything if run.mode == condition.mode and run.session in sessions])
    readings = [run.gpu for run in runs if run.gpu]
    return Row(
        condition=condition,
        runs=len(runs),
        requests=sum(target.requests for run in runs for target in run.targets.values()),
        token_rate=ratio_interval([run.token_rate for run in runs]),
        goodput=_at_least_zero(
            mean_interval([sum(figures.goodput for figures in run.targets.values()) for run in runs])
        ),
        ttft_p50=percentile(ttft, 0.5),
        ttft_p99=_tail(ttft),
        tpot_p50=percentile(tpot, 0.5) if tpot else 0.0,
        itl_p99=_tail(itl),
        e2e_p50=percentile(e2e, 0.5),
        overlap=min(run.overlap for run in runs),
        gpu={field: fmean(reading[field] for reading in readings) for field in (readings[0] if readings else ())},
        comparison=_comparison(runs, everything),
        over_batched=_over_batched(runs, everything),
        ideal_open=ideal_latencies(runs, service) if service and runs[0].rate is not None else None,
    )


def rows_of(records: Sequence[Record], slo: Slo = DEFAULT_SLO) -> list[Row]:
    """One row per condition that has a sound run, sorted by mode, servers, condition and load."""
    runs = sound_runs(records, slo)
    return [_row(condition, repeats, runs) for condition, repeats in by_condition(runs).items()]
