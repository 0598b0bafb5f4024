"""The ideal line for open-loop load: the very arrivals a run offered, served by ideally shared equal servers.

The servers' speed is what the runs alone showed, so that the line holds no fitted number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from statistics import fmean

from .client.drive import arrival_times
from .ideal import Service, simulate
from .metrics import RunFigures
from .stats import percentile

FOREVER_S = 1e6


@dataclass(frozen=True, kw_only=True)
class IdealLatencies:
    """Medians over all requests of all repeats under ideal sharing, in seconds."""

    ttft_p50: float
    e2e_p50: float


def _streams(run: RunFigures) -> int:
    return int(run.load.split()[1])


def service_of(runs: Sequence[RunFigures]) -> Service | None:
    """A server's speed from its closed-loop runs alone; None without any.

    A decode step is the median gap between tokens. A prefill is what the slowest percent of gaps has on top: with
    several streams these gaps hold one other request's prefill.
    """
    alone = [run for run in runs if run.condition == "exclusive" and run.rate is None]
    if not alone:
        return None
    steps: dict[int, float] = {}
    for streams in sorted({_streams(run) for run in alone}):
        steps[streams] = fmean(percentile(_gaps(run), 0.5) for run in alone if _streams(run) == streams)
    most = max(steps)
    slowest = fmean(percentile(_gaps(run), 0.99) for run in alone if _streams(run) == most)
    return Service(
        prefill_s=max(0.0, slowest - steps[most]),
        steps=tuple(steps.items()),
        max_batch=most,
        output_tokens=alone[0].output_tokens,
    )


def _gaps(run: RunFigures) -> Sequence[float]:
    return next(iter(run.targets.values())).latencies.itl


def ideal_latencies(runs: Sequence[RunFigures], service: Service) -> IdealLatencies:
    """What the arrivals of these runs would have met on ideally shared servers of that speed."""
    ttft: list[float] = []
    e2e: list[float] = []
    for run in runs:
        arrivals = _arrivals(run)
        for (due, _), outcome in zip(arrivals, simulate(arrivals, len(run.targets), service, FOREVER_S), strict=True):
            if due >= run.warmup_s and outcome.ttft is not None and outcome.e2e is not None:
                ttft.append(outcome.ttft)
                e2e.append(outcome.e2e)
    return IdealLatencies(ttft_p50=percentile(sorted(ttft), 0.5), e2e_p50=percentile(sorted(e2e), 0.5))


def _arrivals(run: RunFigures) -> list[tuple[float, int]]:
    """(seconds since the load began, model) of every request the client sent by the window's end."""
    assert run.rate is not None, "only open load has arrivals of its own"
    end = run.warmup_s + run.window_s
    return [
        (due, model)
        for model, name in enumerate(run.targets)
        for due in takewhile(lambda due: due < end, arrival_times(run.seed, run.repeat, name, run.rate, 0.0))
    ]
