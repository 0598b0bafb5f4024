"""Does planning stay linear, and does a large stack fit? Prints the figures; `make bench-plan` runs it.

Each size runs in fresh processes, the two sizes alternating, so that both meet the same machine.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 5
SMALL, LARGE, PROMISED = 10, 1000, 200


def settings(pools: int) -> dict[str, Any]:
    """A stack of `pools` sliced GPU NodePools, each with three GPU counts."""
    pool = {"families": ["g5", "g6", "g6e"], "maxGpus": {1: 4, 4: 8, 8: 16}, "replicas": 4}
    return {"aws:region": "us-west-2", "gpuNodePools": {f"pool-{n}": pool for n in range(pools)}}


def measure(pools: int) -> dict[str, float]:
    """Seconds and peak MiB of planning `pools` pools in this process, the catalogue read beforehand."""
    from gpu_slices.catalogue import load
    from gpu_slices.plan import make_plan
    from gpu_slices.settings import parse

    load()
    raw = settings(pools)
    make_plan(parse(settings(1), stack="warm"), stack="warm")
    started = time.perf_counter()
    make_plan(parse(raw, stack="bench"), stack="bench")
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def in_a_fresh_process(pools: int) -> dict[str, float]:
    """`measure(pools)` in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, str(pools)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )
    return json.loads(done.stdout)


def main() -> int:
    """Prints figures and ratio; 1 when a promise is broken."""
    runs = {size: [] for size in (SMALL, LARGE, PROMISED)}
    for _ in range(ROUNDS):
        for size, results in runs.items():
            results.append(in_a_fresh_process(size))
    per_pool = {size: statistics.median(run["seconds"] for run in results) / size for size, results in runs.items()}
    promised = runs[PROMISED]
    seconds = statistics.median(run["seconds"] for run in promised)
    mib = max(run["mib"] for run in promised)
    ratio = per_pool[LARGE] / per_pool[SMALL]
    for size in runs:
        print(f"{size:>5} pools: {per_pool[size] * 1000:.2f} ms a pool (median of {ROUNDS})")
    print(f"{PROMISED} pools plan in {seconds:.2f} s and {mib:.0f} MiB (promised: under 2 s, 200 MB)")
    print(f"a pool at {LARGE} costs {ratio:.2f} times a pool at {SMALL} (promised: at most 1.5)")
    return 0 if seconds < 2 and mib < 190 and ratio <= 1.5 else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(int(sys.argv[1]))))
    else:
        sys.exit(main())
