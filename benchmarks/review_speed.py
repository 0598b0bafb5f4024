"""How long a review of many pools takes, beside the planning that it needs anyway. Prints the figures; `make bench-review`.

Both sides are planned, compared and written as Markdown in one process; the sizes alternate.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import Any, Final

from gpu_slices.catalogue import load
from gpu_slices.plan import make_plan
from gpu_slices.report.review_markdown import comment
from gpu_slices.review.stack_review import Side, review
from gpu_slices.settings import parse

ROUNDS: Final = 7
SIZES: Final = (10, 100, 400)
PROMISED_POOLS: Final = 100
PROMISED_SECONDS: Final = 1.0


def raw(pools: int, replicas: int) -> dict[str, Any]:
    """A stack of sliced pools, half of them Karpenter's with three GPU counts, and one tenant for each."""
    groups = {f"group-{n}": {"instanceType": "g6e.2xlarge"} for n in range(pools // 2)}
    launched = {"families": ["g5", "g6", "g6e"], "maxGpus": {1: 4, 4: 8, 8: 16}}
    names = {f"pool-{n}": launched for n in range(pools - len(groups))}
    tenants = {f"team-{n}": {"pools": [name], "slices": 4} for n, name in enumerate([*groups, *names])}
    return {
        "aws:region": "us-west-2",
        "replicas": replicas,
        "gpuNodeGroups": groups,
        "gpuNodePools": names,
        "tenants": tenants,
    }


def measure(pools: int) -> tuple[float, float]:
    """Seconds for planning both sides, and for comparing and writing them."""
    before, after = raw(pools, 10), raw(pools, 4)
    started = time.perf_counter()
    old, new = (
        Side(where="here", plan=make_plan(parse(side, stack="bench"), stack="bench")) for side in (before, after)
    )
    planned = time.perf_counter()
    comment(review("bench", old, new))
    return planned - started, time.perf_counter() - planned


def main() -> int:
    """Prints figures and ratios; 1 when a promise is broken."""
    load()
    measure(2)
    runs: dict[int, list[tuple[float, float]]] = {size: [] for size in SIZES}
    for _ in range(ROUNDS):
        for size, results in runs.items():
            results.append(measure(size))
    for size, results in runs.items():
        planning, reviewing = (statistics.median(run[part] for run in results) for part in (0, 1))
        print(
            f"{size:>4} pools: planning both sides {planning:.3f} s, review {reviewing:.3f} s ({reviewing / planning:.2f} ×)"
        )
    whole = statistics.median(sum(run) for run in runs[PROMISED_POOLS])
    print(f"{PROMISED_POOLS} pools together: {whole:.3f} s (promised: under {PROMISED_SECONDS:g} s)")
    return 0 if whole < PROMISED_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
