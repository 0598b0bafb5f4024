"""A mistake in a stack's settings: which key, what is wrong, what to write."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

#: Characters of a wrong value that are shown; it may be a whole mapping.
_LONGEST: Final = 60


@dataclass(frozen=True, kw_only=True, order=True)
class Mistake:
    """One thing to correct. `path` is the key as written in the stack file: `gpuNodeGroups.l40s.replicas`."""

    path: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}; {self.remedy}" if self.remedy else f"{self.path}: {self.problem}"


class SettingsError(Exception):
    """All mistakes of one stack, sorted by key, one line each."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(set(mistakes)))
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean "x"?`, else the known words, as the remedy for a name that does not exist."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f'did you mean "{close[0]}"?'
    return f"write one of: {', '.join(names)}" if names else "remove it"


def shown(value: Any) -> str:
    """A value as a stack file has it, on one line and cut when long: `true`, `null`, `{a: 1}`, `'four'`."""
    if isinstance(value, str):
        text = repr(value)
    else:
        text = yaml.safe_dump(value, default_flow_style=True, width=1000, allow_unicode=True, sort_keys=False)
        text = " ".join(text.removesuffix("...\n").split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def listed(words: Sequence[str], limit: int = 6) -> str:
    """`a, b, c and 4 more`, for a sentence that would otherwise be too long."""
    shown = ", ".join(words[:limit])
    return shown if len(words) <= limit else f"{shown} and {len(words) - limit} more"
