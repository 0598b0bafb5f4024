"""One Helm release as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..versions import ChartPin

#: Share of nodes whose plugin may restart at the same time; the charts' default is one node at a time.
MAX_UNAVAILABLE: Final = "25%"

_BASE_SECONDS: Final = 300
_SECONDS_PER_WAVE: Final = 120
_SECONDS_PER_NODE: Final = 2
#: A quarter of the nodes at a time.
_WAVES: Final = 4


@dataclass(frozen=True, kw_only=True)
class Release:
    """One Helm release: what is installed, where, and how long its rollout may take in seconds.

    `skip_crds` leaves the CRDs in the chart's crds/ folder alone: Helm would install but never upgrade them.
    """

    name: str
    pin: ChartPin
    namespace: str
    values: Mapping[str, Any]
    timeout_seconds: int
    skip_crds: bool = False


def rollout_timeout(nodes: int) -> int:
    """Seconds for a DaemonSet to roll over `nodes` a quarter at a time: Helm's own 300 s, 120 s a wave, 2 s a node.

    Helm's default of 300 s is what one dead node already exceeds (pulumi-kubernetes#2054).
    """
    return _BASE_SECONDS + _SECONDS_PER_WAVE * min(nodes, _WAVES) + _SECONDS_PER_NODE * nodes
