"""Intervals over runs. The unit of replication is the run, never the request: requests of one run are not independent.

Ratios are averaged and bounded on the log scale, so that a ratio and its inverse say the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from statistics import NormalDist, fmean, stdev

# Two-sided 95 % points of Student's t for 1 to 30 degrees of freedom (any statistics textbook's table).
T_95 = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A mean over `n` runs and its 95 % interval; no interval (None) from a single run."""

    mean: float
    low: float | None
    high: float | None
    n: int

    def contains(self, value: float) -> bool:
        """Whether the interval holds `value`; one run excludes nothing."""
        return self.low is None or self.high is None or self.low <= value <= self.high

    def text(self, digits: int = 3) -> str:
        """`mean [low, high]`."""
        if self.low is None or self.high is None:
            return f"{self.mean:.{digits}f} (one run)"
        return f"{self.mean:.{digits}f} [{self.low:.{digits}f}, {self.high:.{digits}f}]"


def t_95(degrees: int) -> float:
    """Student's two-sided 95 % point; past 30 degrees of freedom by the usual 1/degrees expansion about the normal."""
    if degrees < 1:
        raise ValueError("an interval needs at least two runs")
    if degrees <= len(T_95):
        return T_95[degrees - 1]
    z = NormalDist().inv_cdf(0.975)
    return z + (z**3 + z) / (4 * degrees)


def mean_interval(values: Sequence[float], resolution: float = 0.0) -> Interval:
    """Mean and Student's 95 % interval, never narrower than ±`resolution`, what the measurement can resolve."""
    mean, n = fmean(values), len(values)
    if n < 2:
        return Interval(mean=mean, low=None, high=None, n=n)
    half = max(t_95(n - 1) * stdev(values) / sqrt(n), resolution)
    return Interval(mean=mean, low=mean - half, high=mean + half, n=n)


def ratio_interval(ratios: Sequence[float], resolution: float = 0.0) -> Interval:
    """Geometric mean of positive ratios and its 95 % interval on the log scale. `resolution` is relative."""
    on_log = mean_interval([log(ratio) for ratio in ratios], resolution)
    low, high = (None if bound is None else exp(bound) for bound in (on_log.low, on_log.high))
    return Interval(mean=exp(on_log.mean), low=low, high=high, n=on_log.n)


def percentile(ordered: Sequence[float], share: float) -> float:
    """The `share` (0 to 1) quantile of sorted values, by linear interpolation."""
    if not ordered:
        raise ValueError("no values")
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def jain(shares: Sequence[float]) -> float:
    """Jain's fairness index of the models' normalised progress: 1 all equal, 1/N one gets everything."""
    total = sum(shares)
    squares = sum(share * share for share in shares)
    return total * total / (len(shares) * squares) if squares else 1.0
