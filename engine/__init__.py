"""The Pulumi engine as a library: find or build it, run a stack, read its events."""

from __future__ import annotations

from engine.binary import NoEngine, provide
from engine.operation import Change, Diagnostic, Operation, PropertyDiff, Violation
from engine.stack import Deployed, EngineError, Stack

__all__ = [
    "Change",
    "Deployed",
    "Diagnostic",
    "EngineError",
    "NoEngine",
    "Operation",
    "PropertyDiff",
    "Stack",
    "Violation",
    "provide",
]
