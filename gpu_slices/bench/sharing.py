"""What sharing did to the models: shared runs against the exclusive runs of the same repeat, interval over repeats.

Terms after Eyerman and Eeckhout (IEEE Micro 2008). Normalised progress of a model: its token rate shared over its
rate alone. STP: the sum of these (1: no better than one after the other; N: as if each had its own GPU). ANTT: the
mean slowdown. ε: what sharing costs beyond an ideal division of the GPU, under saturating load; where a model keeps
the GPU busy all the time it is 1/STP − 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from .ideal import saturated_slowdown
from .metrics import RunFigures, TargetFigures, model_of
from .stats import Interval, jain, mean_interval, percentile, ratio_interval

BASELINES = ("exclusive", "idle-neighbour")  # the second serves models that never ran alone on the GPU


class NoBaselineError(ValueError):
    """A run has no sound run alone, of the same repeat, mode and load, to be compared with."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One model of one run beside its run alone. `busy`: share of time in which the GPU had work in the latter."""

    name: str
    shared: TargetFigures
    alone: TargetFigures
    busy: float

    @property
    def progress(self) -> float:
        """Normalised progress."""
        return self.shared.token_rate / self.alone.token_rate

    def slowdown(self, kind: str = "e2e", share: float = 0.5) -> float:
        """Ratio of a latency quantile: `kind` is a field of Latencies."""
        shared, alone = (getattr(side.latencies, kind) for side in (self.shared, self.alone))
        return percentile(shared, share) / percentile(alone, share)

    @property
    def resolution(self) -> float:
        """How far a window edge can move the ratio of the two token counts, relative."""
        return self.shared.resolution + self.alone.resolution


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One condition against its runs alone, intervals over repeats. `ideal`: slowdown under ideal sharing, or None."""

    driven: int
    ideal: float | None
    stp: Interval
    antt: Interval
    ttft: Interval
    tpot: Interval
    slowdown: dict[str, Interval]
    jain: Interval

    @property
    def epsilon(self) -> Interval | None:
        """Ideal STP over measured STP, less one; None where the load does not saturate."""
        if self.ideal is None:
            return None
        best, stp = self.driven / self.ideal, self.stp
        high = None if stp.low is None else best / stp.low - 1
        low = None if stp.high is None else best / stp.high - 1
        return Interval(mean=best / stp.mean - 1, low=low, high=high, n=stp.n)


def baseline_of(run: RunFigures, name: str, alone: Sequence[RunFigures]) -> tuple[TargetFigures, float]:
    """The figures alone that `name` is compared with: its own of that repeat, else an equal model's; and GPU busy.

    Raises:
        NoBaselineError: there are none.
    """
    key = (run.session, run.mode, run.repeat, run.load)
    fitting = [other for other in alone if (other.session, other.mode, other.repeat, other.load) == key]
    for condition in BASELINES:
        candidates = [
            (other, figures, part.busy)
            for part in fitting
            if part.condition == condition and part is not run
            for other, figures in part.targets.items()
        ]
        for same in (lambda other: other == name, lambda other: model_of(other) == model_of(name)):
            for other, figures, busy in candidates:
                if same(other):
                    return figures, busy
    raise NoBaselineError(f"no sound run of {name} alone, {run.mode} {run.load}, repeat {run.repeat}")


def pairs_of(run: RunFigures, alone: Sequence[RunFigures]) -> list[Pair]:
    """Every model of a run beside its run alone."""
    pairs: list[Pair] = []
    for name, figures in run.targets.items():
        other, busy = baseline_of(run, name, alone)
        pairs.append(Pair(name=name, shared=figures, alone=other, busy=busy))
    return pairs


def compare(runs: Sequence[RunFigures], alone: Sequence[RunFigures]) -> Comparison:
    """One condition's repeats against the runs alone.

    Raises:
        NoBaselineError: a run has no counterpart.
    """
    by_run = [pairs_of(run, alone) for run in runs]
    names = list(runs[0].targets)
    resolution = fmean(fmean(pair.resolution for pair in pairs) for pairs in by_run)
    busy = fmean(fmean(pair.busy for pair in pairs) for pairs in by_run)

    def over_runs(kind: str) -> Interval:
        return ratio_interval([fmean(pair.slowdown(kind) for pair in pairs) for pairs in by_run])

    return Comparison(
        driven=len(names),
        ideal=saturated_slowdown(len(names), busy) if runs[0].rate is None else None,
        stp=ratio_interval([sum(pair.progress for pair in pairs) for pairs in by_run], resolution),
        antt=over_runs("e2e"),
        ttft=over_runs("ttft"),
        tpot=over_runs("tpot"),
        slowdown={
            name: ratio_interval([pair.slowdown() for pairs in by_run for pair in pairs if pair.name == name])
            for name in names
        },
        jain=mean_interval([jain([pair.progress for pair in pairs]) for pairs in by_run]),
    )


def rate_ratio(runs: Sequence[RunFigures], others: Sequence[RunFigures]) -> Interval | None:
    """Token rate of all models of `runs` over that of `others`, paired by repeat; None where none is in both."""
    rates = {(run.session, run.repeat): run.token_rate for run in others}
    ratios = [run.token_rate / rates[key] for run in runs if (key := (run.session, run.repeat)) in rates]
    return ratio_interval(ratios) if ratios else None


@dataclass(frozen=True, order=True)
class Condition:
    """What makes runs repeats of each other."""

    mode: str
    servers: int
    name: str
    load: str
    models: tuple[str, ...]


def by_condition(runs: Iterable[RunFigures]) -> dict[Condition, list[RunFigures]]:
    """Runs by condition, sorted; repeats in order."""
    found: dict[Condition, list[RunFigures]] = {}
    for run in runs:
        key = Condition(run.mode, run.servers, run.condition, run.load, run.models)
        found.setdefault(key, []).append(run)
    return {key: sorted(found[key], key=lambda run: run.repeat) for key in sorted(found)}
