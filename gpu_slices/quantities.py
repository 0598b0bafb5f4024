"""Kubernetes quantities as whole numbers: CPU in millicores, memory in MiB."""

from __future__ import annotations

import re
from typing import Final

_CPU: Final = re.compile(r"(?P<cores>[0-9]{1,12}(\.[0-9]{1,3})?)|(?P<milli>[0-9]{1,15})m")
_MEMORY: Final = re.compile(r"(?P<count>[0-9]{1,9}(\.[0-9]{1,3})?)(?P<unit>[KMGT]i)")
_DURATION_PART: Final = re.compile(r"([0-9]+)([smh])")
_DURATION: Final = re.compile(r"([0-9]+[smh])+")
_SECONDS_PER: Final = {"s": 1, "m": 60, "h": 3600}
_MIB_PER: Final = {"Ki": 1 / 1024, "Mi": 1.0, "Gi": 1024.0, "Ti": 1024.0**2}


def millicores(text: str) -> int:
    """`500m` → 500, `2` → 2000, `0.25` → 250. Raises ValueError with the reason."""
    match = _CPU.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a CPU quantity")
    if match["milli"] is not None:
        return int(match["milli"])
    return round(float(match["cores"]) * 1000)


def cores(millicpu: int) -> str:
    """2000 → `2`, 2500 → `2500m`."""
    return f"{millicpu}m" if millicpu % 1000 else str(millicpu // 1000)


def mebibytes(text: str) -> int:
    """`512Mi` → 512, `1.5Gi` → 1536; part of a MiB counts as a whole one. Raises ValueError with the reason."""
    match = _MEMORY.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a memory quantity with unit Ki, Mi, Gi or Ti")
    mib = float(match["count"]) * _MIB_PER[match["unit"]]
    return int(mib) if mib == int(mib) else int(mib) + 1


def seconds(duration: str) -> int:
    """`1h30m` → 5400. Raises ValueError with the reason."""
    if not _DURATION.fullmatch(duration):
        raise ValueError(f"{duration!r} is not a duration like 30s, 5m or 1h")
    return sum(int(count) * _SECONDS_PER[unit] for count, unit in _DURATION_PART.findall(duration))
