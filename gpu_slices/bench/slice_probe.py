"""The GPU's time slice, measured: several processes poll the GPU's clock; a gap in one is the others' turn.

The driver documents no length that holds for every GPU, so it is measured and not quoted.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from .stats import percentile

SOURCE = Path(__file__).with_name("slice_probe.cu")
SECONDS = 2.0
MIN_GAP_US = 20.0
Span = tuple[float, float]


class ProbeError(RuntimeError):
    """The probe could not be built or run; the text says why."""


def build(folder: Path) -> Path:
    """Compile the probe for this machine's GPU into `folder`."""
    if shutil.which("nvcc") is None:
        raise ProbeError("nvcc is not on the PATH; the slice probe needs the CUDA compiler")
    program = folder / "slice_probe"
    done = subprocess.run(
        ["nvcc", "-O2", "-arch=native", "-o", str(program), str(SOURCE)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ProbeError(f"nvcc: {done.stderr.strip()[-300:]}")
    return program


def read_output(text: str) -> tuple[Span, int, list[Span]]:
    """When the kernel ran (ns), how often it polled, and its gaps."""
    head, *rest = text.strip().splitlines()
    _, start, end, polls = head.split()
    gaps = [(float(first), float(last)) for first, last in (line.split() for line in rest)]
    return (float(start), float(end)), int(polls), gaps


def within(gaps: Sequence[Span], common: Span) -> list[Span]:
    """The gaps that lie wholly in the common span."""
    return [gap for gap in gaps if common[0] <= gap[0] and gap[1] <= common[1]]


def quantiles(values: Sequence[float]) -> dict[str, float]:
    """A distribution in four numbers; empty for none."""
    ordered = sorted(values)
    return {name: round(percentile(ordered, share), 1) for name, share in
            (("p05", 0.05), ("p50", 0.5), ("p95", 0.95), ("max", 1.0))} if ordered else {}  # fmt: skip


def describe(outputs: Sequence[str]) -> dict[str, Any]:
    """Gaps (others' turns) and turns (between gaps) in microseconds, over the time all processes were on the GPU."""
    parsed = [read_output(text) for text in outputs]
    common = (max(span[0] for span, _, _ in parsed), min(span[1] for span, _, _ in parsed))
    gaps_us: list[float] = []
    turns_us: list[float] = []
    held: list[float] = []
    for _, _, all_gaps in parsed:
        gaps = within(all_gaps, common)
        gaps_us += [(end - start) / 1e3 for start, end in gaps]
        turns_us += [(later[0] - earlier[1]) / 1e3 for earlier, later in pairwise(gaps)]
        lost = sum(end - start for start, end in gaps)
        held.append(1 - lost / max(1.0, common[1] - common[0]))
    seconds = max(0.0, (common[1] - common[0]) / 1e9)
    return {
        "kind": "probe",
        "processes": len(outputs),
        "seconds_together": round(seconds, 3),
        "gap_us": quantiles(gaps_us),
        "turn_us": quantiles(turns_us),
        "gaps_per_second": round(len(gaps_us) / len(outputs) / seconds, 1) if seconds else 0.0,
        "share_held": [round(share, 4) for share in held],
    }


def probe(processes: int) -> dict[str, Any]:
    """Run the probe in that many processes at once.

    Raises:
        ProbeError: no CUDA compiler, or a process failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [str(build(Path(folder))), str(SECONDS + 0.5 * processes), str(MIN_GAP_US)]
        children = [
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _ in range(processes)
        ]
        outputs = [child.communicate(timeout=120) for child in children]
        for child, (_, errors) in zip(children, outputs, strict=True):
            if child.returncode:
                raise ProbeError(f"the probe failed: {errors.strip()[-300:]}")
    return describe([text for text, _ in outputs])
