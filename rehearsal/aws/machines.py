"""The machines of managed node groups, as the stand-in needs them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

NODES = "aws:eks/nodeGroup:NodeGroup"


class Machines(Protocol):
    """What a node group needs of the world; `group` is its state as AWS shows it. Both raise Refused."""

    def bring(self, group: Mapping[str, Any]) -> None:
        """Makes the group's nodes as many as it desires, labelled and tainted as it says."""
        ...

    def remove(self, group: Mapping[str, Any]) -> None:
        """Drains and ends all its nodes."""
        ...
