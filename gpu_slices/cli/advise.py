"""`advise`: how many replicas fit a GPU, and what that many mean for latency."""

from __future__ import annotations

from ..bench.advise_command import add_arguments, run
from .command import Command

COMMAND = Command(
    name="advise", help="how many replicas fit a GPU, and what they do to latency", add_arguments=add_arguments, run=run
)
