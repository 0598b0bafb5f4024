"""What the GPU says of itself while runs go on, read with `nvidia-smi` (queries only; no setting is touched)."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from time import monotonic
from typing import IO

FIELDS = ("utilization.gpu", "power.draw", "clocks.sm", "temperature.gpu", "memory.used")
FACTS = ("name", "uuid", "driver_version", "memory.total", "compute_mode", "mig.mode.current", "clocks.max.sm")
PERIOD_MS = 250


def query(fields: Sequence[str]) -> dict[str, str] | None:
    """One reading of the first GPU; None without a GPU."""
    if shutil.which("nvidia-smi") is None:
        return None
    command = ["nvidia-smi", "--id=0", f"--query-gpu={','.join(fields)}", "--format=csv,noheader,nounits"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    values = [value.strip() for value in done.stdout.strip().split(",")]
    return dict(zip(fields, values, strict=True)) if len(values) == len(fields) else None


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One reading: monotonic time, the GPU's values, and the machine's CPU time so far (busy, all; in ticks)."""

    time: float
    values: dict[str, float]
    cpu: tuple[int, int]


def cpu_ticks() -> tuple[int, int]:
    """Busy and total ticks of all cores since boot (Linux)."""
    fields = [int(value) for value in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return sum(fields) - fields[3] - fields[4], sum(fields)


class Sampler:
    """Reads `FIELDS` of GPU 0 every `PERIOD_MS` until stopped; does nothing where there is no nvidia-smi."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self._process: subprocess.Popen[str] | None = None
        if shutil.which("nvidia-smi") is None:
            return
        command = ["nvidia-smi", "--id=0", f"--query-gpu={','.join(FIELDS)}", "--format=csv,noheader,nounits"]
        self._process = subprocess.Popen(
            [*command, f"--loop-ms={PERIOD_MS}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            bufsize=1,
        )
        assert self._process.stdout is not None
        threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True).start()

    def _read(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                self._take(line)

    def _take(self, line: str) -> None:
        try:
            values = [float(value) for value in line.split(",")]
        except ValueError:  # a reading that the GPU does not support
            return
        if len(values) == len(FIELDS):
            reading: dict[str, float] = dict(zip(FIELDS, values, strict=True))
            self.samples.append(Sample(time=monotonic(), values=reading, cpu=cpu_ticks()))

    def means(self, start: float, end: float) -> dict[str, float]:
        """Means over the samples of a span of the monotonic clock; empty when there are none."""
        inside = [sample for sample in self.samples if start <= sample.time < end]
        if len(inside) < 2:
            return {}
        busy, total = (inside[-1].cpu[side] - inside[0].cpu[side] for side in (0, 1))
        means = {field: round(fmean(sample.values[field] for sample in inside), 2) for field in FIELDS}
        return {**means, "cpu_busy": round(busy / max(1, total), 4)}

    def stop(self) -> None:
        """End the sampling."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(5)
