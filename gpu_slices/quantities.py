"""Kubernetes quantities as whole numbers: CPU in millicores, memory in MiB."""

from __future__ import annotations

import re
from typing import Final

_CPU: Final = re.compile(r"(?P<cores>\d+(\.\d{1,3})?)|(?P<milli>\d+)m")
_MEMORY: Final = re.compile(r"(?P<count>\d+(\.\d+)?)(?P<unit>[KMGT]i)")
_MIB_PER: Final = {"Ki": 1 / 1024, "Mi": 1.0, "Gi": 1024.0, "Ti": 1024.0**2}


def millicores(text: str) -> int:
    """`500m` → 500, `2` → 2000, `0.25` → 250. Raises ValueError with the reason."""
    match = _CPU.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a CPU quantity")
    if match["milli"] is not None:
        return int(match["milli"])
    return round(float(match["cores"]) * 1000)


def mebibytes(text: str) -> int:
    """`512Mi` → 512, `1.5Gi` → 1536; part of a MiB counts as a whole one. Raises ValueError with the reason."""
    match = _MEMORY.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a memory quantity with unit Ki, Mi, Gi or Ti")
    mib = float(match["count"]) * _MIB_PER[match["unit"]]
    return int(mib) if mib == int(mib) else int(mib) + 1
