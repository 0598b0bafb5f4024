"""The sharing law as last measured, in a small file beside this module that is made from the raw records.

`bench report FILES --measured` writes it; a test holds it equal to the shipped records.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from .metrics import Record
from .rows import rows_of

FILE = "measured.json"
MODE = "graph"  # the GPU is busy all the time, so that nothing but sharing shows
LOAD = "closed 8"


@dataclass(frozen=True, kw_only=True)
class MeasuredLaw:
    """ε with its 95 % bounds by number of sharing models; `process_mib`: GPU memory a process takes beyond its model."""

    gpu: str
    engine: str
    load: str
    epsilon: Mapping[int, tuple[float, float]]
    process_mib: int

    @property
    def most(self) -> int:
        """The largest number of models measured."""
        return max(self.epsilon)

    def epsilon_at(self, models: int) -> tuple[float, float] | None:
        """Bounds of ε for so many models: 0 for one, the hull of the nearest measured ones between, None beyond."""
        if models == 1:
            return 0.0, 0.0
        if models > self.most:
            return None
        below = max((count for count in self.epsilon if count <= models), default=min(self.epsilon))
        above = min(count for count in self.epsilon if count >= models)
        around = (self.epsilon[below], self.epsilon[above])
        return min(low for low, _ in around), max(high for _, high in around)


def law_of(records: Sequence[Record]) -> MeasuredLaw:
    """The law that records show; equal models, saturating load, two repeats or more.

    Raises:
        ValueError: the records hold no such runs.
    """
    epsilon: dict[int, tuple[float, float]] = {}
    for row in rows_of(records):
        condition, seen = row.condition, row.comparison
        if (condition.mode, condition.name, condition.load) != (MODE, "shared", LOAD) or len(set(condition.models)) > 1:
            continue
        found = seen.epsilon if seen else None
        if found and found.low is not None and found.high is not None:
            epsilon[condition.servers] = (round(found.low, 4), round(found.high, 4))
    alone = [record for record in records if record["kind"] == "servers" and record["servers"] == 1]
    first = [record for record in alone if record["new"][0]["mode"] == MODE]
    if not epsilon or not first:
        raise ValueError(f"no {MODE} runs of equal models sharing under {LOAD} in these records")
    server = first[0]["new"][0]
    return MeasuredLaw(
        gpu=server["gpu"],
        engine=f"synthetic decoder of {server['parameters'] / 1e9:.1f} billion parameters, CUDA graphs",
        load=f"{LOAD.split()[1]} requests in flight per model, all the time",
        epsilon=epsilon,
        process_mib=int(first[0]["memory_used_mib"]["memory.used"]) - server["reserved_mib"],
    )


def write_law(records: Sequence[Record]) -> Path:
    """Replace the measured file by what these records show."""
    path = Path(__file__).with_name(FILE)
    path.write_text(json.dumps(asdict(law_of(records)), indent=2) + "\n")
    return path


def load_law() -> MeasuredLaw:
    """The law that ships with the program."""
    data: dict[str, Any] = json.loads(files("gpu_slices.bench").joinpath(FILE).read_text())
    epsilon = {int(count): (low, high) for count, (low, high) in data.pop("epsilon").items()}
    return MeasuredLaw(**data, epsilon=epsilon)
