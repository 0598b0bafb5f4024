"""The tables of docs/choosing.md: what the catalogue's GPUs can do, and what sharing was measured to cost.

`python -m gpu_slices.report.choosing docs/choosing.md benchmarks/results/h100` writes them anew between their markers.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from ..bench.metrics import Record
from ..bench.records import read_records
from ..bench.rows import Row, rows_of
from ..catalogue import InstanceType, load
from ..mig import profile
from ..settings.sharing_checks import mps_clients
from .markdown import table
from .words import gib, usd

#: Records' file → the sharing that it measured. MPS with the thread limit that the plugin sets for four slices.
MEASURED: Final[Mapping[str, str]] = {"time-slicing": "time-slicing", "mps": "MPS, 4 slices"}


def gpu_table() -> str:
    """One row per GPU and memory size that EC2 sells whole: what can share it, and what a part of it costs."""
    kinds: dict[tuple[str, int], list[InstanceType]] = {}
    for instance in load().instances.values():
        if not instance.fractional and not instance.retired and instance.arch == "amd64":
            kinds.setdefault((instance.gpu.label, instance.gpu_memory_mib), []).append(instance)
    headings = ("GPU", "memory", "EC2", "slices by MPS", "MIG instances, at most", "$/h: GPU", "smallest MIG instance")
    return table(headings, [_gpu(types) for _, types in sorted(kinds.items())])


def _gpu(types: Sequence[InstanceType]) -> tuple[str, ...]:
    gpu, mib = types[0].gpu, types[0].gpu_memory_mib
    prices = [one.usd_per_hour / one.gpu_count for one in types if one.usd_per_hour is not None]
    cheapest = min(prices, default=None)
    profiles = {name: most for name, most in gpu.mig_profiles.get(mib, {}).items() if "+" not in name}
    smallest = min(profiles, key=lambda name: profile(name).memory_mib(mib), default=None)
    part = None if cheapest is None or smallest is None else cheapest / profiles[smallest]
    return (
        gpu.label,
        gib(mib),
        ", ".join(sorted({one.family for one in types})),
        f"2 to {mps_clients(gpu)}",
        ", ".join(f"{most} × {name}" for name, most in profiles.items()) or "–",
        usd(cheapest),
        "–" if smallest is None else f"{usd(part)} ({smallest})",
    )


def measured_table(records: Mapping[str, Sequence[Record]]) -> str:
    """Records by file name → a row per number of busy models. All against one model alone on the whole GPU."""
    rows = {name: list(rows_of(found)) for name, found in records.items()}
    (alone,) = [row for row in rows["time-slicing"] if row.condition.servers == 1]
    headings = (
        "sharing",
        "busy models",
        "tokens/s of all",
        "of one alone",
        "each is slower by",
        "first token",
        "per token",
    )
    return table(headings, list(_measured(rows, alone)))


def _measured(rows: Mapping[str, Sequence[Row]], alone: Row) -> Iterator[tuple[str, ...]]:
    for name, words in MEASURED.items():
        for row in sorted(rows[name], key=lambda row: row.condition.servers):
            rate, models = row.token_rate, row.condition.servers
            share = rate.mean / alone.token_rate.mean
            yield (
                words,
                str(models),
                rate.text(0),
                f"{share:.2f}",
                f"{models / share:.2f} ×",
                f"{row.ttft_p50:.0f} ms",
                f"{row.tpot_p50:.1f} ms",
            )


def with_tables(page: str, records: Mapping[str, Sequence[Record]]) -> str:
    """The page with its tables between `<!-- NAME -->` and `<!-- /NAME -->` made anew."""
    for name, content in (("gpus", gpu_table()), ("measured", measured_table(records))):
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, _, rest = page.partition(start)
        page = f"{before}{start}\n\n{content}\n\n{end}{rest.partition(end)[2]}"
    return page


def records_in(folder: Path) -> dict[str, Sequence[Record]]:
    """The records of a folder by file name."""
    return {name: read_records(folder / f"{name}.jsonl.gz") for name in MEASURED}


if __name__ == "__main__":
    target, results = map(Path, sys.argv[1:3])
    target.write_text(with_tables(target.read_text(encoding="utf-8"), records_in(results)), encoding="utf-8")
