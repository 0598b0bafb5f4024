"""What is worth knowing of a stack, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, order=True)
class StackWarning:
    """One thing worth knowing before `up`. `path` is the key it is about."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"
