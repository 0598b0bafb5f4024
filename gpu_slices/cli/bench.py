"""`bench`: measure what sharing a GPU costs, here or on the stack's cluster, and report what was measured."""

from __future__ import annotations

from ..bench.command import add_arguments, run
from .command import Command

COMMAND = Command(
    name="bench",
    help="what sharing a GPU costs: measured here, or on the cluster",
    add_arguments=add_arguments,
    run=run,
)
