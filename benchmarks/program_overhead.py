"""What running the program costs, beside a program that imports the same SDKs and registers the same resources.

Both run under the recording monitor in fresh processes that take turns. Seconds are CPU time (user and system) of the
whole process, so that a busy machine blurs them less; memory is its peak. Exit code 1 when a limit is exceeded.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

MOST_TIME = 1.15
MOST_MEMORY = 1.2

_REAL = "import sys; from rehearsal.recorder import record_stack; record_stack(sys.argv[1])"
_EMPTY = (
    "import sys; from pathlib import Path; from benchmarks.declared_program import register_rows; "
    "from rehearsal.recorder import record; from rehearsal.project import stack_config; "
    "record(lambda: register_rows(Path(sys.argv[2])), stack=sys.argv[1], config=stack_config(sys.argv[1]))"
)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """One process: CPU seconds and peak memory in MiB."""

    seconds: float
    mib: float


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two programs' costs, run by run."""

    stack: str
    resources: int
    real: tuple[Cost, ...]
    empty: tuple[Cost, ...]

    @property
    def time_ratio(self) -> float:
        """Median CPU seconds over median CPU seconds."""
        return _median(self.real, "seconds") / _median(self.empty, "seconds")

    @property
    def memory_ratio(self) -> float:
        """Median peak memory over median peak memory."""
        return _median(self.real, "mib") / _median(self.empty, "mib")

    def lines(self) -> tuple[str, ...]:
        """The comparison as a person reads it."""
        return (
            f"{self.stack}: {self.resources} resources, {len(self.real)} runs each",
            f"  CPU     {_spread(self.real, 'seconds', 2)} s against {_spread(self.empty, 'seconds', 2)} s: "
            f"{self.time_ratio:.2f} times (at most {MOST_TIME})",
            f"  memory  {_spread(self.real, 'mib', 0)} MiB against {_spread(self.empty, 'mib', 0)} MiB: "
            f"{self.memory_ratio:.2f} times (at most {MOST_MEMORY})",
        )

    @property
    def within(self) -> bool:
        """Whether both ratios are within their limits."""
        return self.time_ratio <= MOST_TIME and self.memory_ratio <= MOST_MEMORY


def compare(stack: str, rounds: int) -> Comparison:
    """Runs both programs `rounds` times, taking turns in going first, after one run of each that does not count."""
    from benchmarks.declared_program import write_rows
    from rehearsal.recorder import record_stack

    with tempfile.TemporaryDirectory(prefix="gpu-slices-") as folder:
        rows = Path(folder) / "rows.json"
        resources = write_rows(record_stack(stack), rows)
        programs = {"real": (_REAL, stack), "empty": (_EMPTY, stack, str(rows))}
        costs: dict[str, list[Cost]] = {"real": [], "empty": []}
        for number in range(rounds + 1):
            for name in sorted(programs, reverse=number % 2 == 0):
                cost = _run(programs[name])
                if number:
                    costs[name].append(cost)
            print(f"\r{stack}: {number} of {rounds}", end="", file=sys.stderr, flush=True)
    print("\r", end="", file=sys.stderr)
    return Comparison(stack=stack, resources=resources, real=tuple(costs["real"]), empty=tuple(costs["empty"]))


def _run(program: Sequence[str]) -> Cost:
    argv = [sys.executable, "-W", "ignore", "-c", *program]
    child = os.posix_spawn(sys.executable, argv, os.environ)
    _, status, usage = os.wait4(child, 0)
    if status:
        raise SystemExit(f"the benchmark's own program failed with status {status}: {' '.join(program)}")
    return Cost(seconds=usage.ru_utime + usage.ru_stime, mib=usage.ru_maxrss / _MAXRSS_PER_MIB)


#: Linux counts ru_maxrss in KiB, macOS in bytes.
_MAXRSS_PER_MIB = 1 << 20 if sys.platform == "darwin" else 1 << 10


def _median(costs: Sequence[Cost], name: str) -> float:
    return statistics.median(getattr(cost, name) for cost in costs)


def _spread(costs: Sequence[Cost], name: str, digits: int) -> str:
    values = sorted(getattr(cost, name) for cost in costs)
    return f"{statistics.median(values):.{digits}f} ({values[0]:.{digits}f}–{values[-1]:.{digits}f})"


def main(arguments: Sequence[str]) -> int:
    """Compares the stack files named, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.program_overhead", description=__doc__)
    parser.add_argument("stacks", nargs="*", metavar="STACK", help="default: every stack file")
    parser.add_argument("--rounds", type=int, default=7, help="runs of each program (default 7)")
    chosen = parser.parse_args(arguments)
    os.chdir(ROOT)
    stacks = chosen.stacks or sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))
    comparisons = [compare(stack, chosen.rounds) for stack in stacks]
    for comparison in comparisons:
        print("\n".join(comparison.lines()))
    return 0 if all(comparison.within for comparison in comparisons) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
