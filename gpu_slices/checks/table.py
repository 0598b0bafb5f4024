"""The words of a check, as data: what is looked at, how it is judged, what can be wrong and what to do about it.

A judge is a pure function from what was observed to findings; it names a cause of its check's row by the cause's name,
so nothing can be found that the table (and the page made from it) does not explain.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

#: `warned` is worth knowing and fails nothing; `skipped` could not be judged, and says why.
Outcome = Literal["passed", "warned", "failed", "skipped"]


class _Placeholders(dict[str, str]):
    """`{pool}` of a remedy is `POOL` where no pool is known, as on the printed page."""

    def __missing__(self, key: str) -> str:
        return key.upper()


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One thing that can be wrong.

    `name` is kebab-case and stable: JSON and JUnit carry it. `text` is a sentence; `remedy` says what to write or run
    and may hold placeholders (`{pool}`, `{node}`) that a finding fills in.
    """

    name: str
    text: str
    remedy: str


@dataclass(frozen=True, kw_only=True)
class Check:
    """One row of the table. `symptom` is what a person sees who has the trouble; the first cause is the likeliest."""

    name: str
    symptom: str
    looks_at: str
    judged: str
    causes: tuple[Cause, ...] = ()

    def passed(self, subject: str, seen: str = "") -> Finding:
        """All is well with `subject`."""
        return Finding(check=self, subject=subject, outcome="passed", seen=seen)

    def skipped(self, subject: str, why: str) -> Finding:
        """`subject` could not be judged."""
        return Finding(check=self, subject=subject, outcome="skipped", seen=why)

    def failed(self, subject: str, seen: str, cause: str, **details: str) -> Finding:
        """`subject` is wrong for the row's cause of that name; KeyError where the row has no such cause."""
        return Finding(
            check=self, subject=subject, outcome="failed", seen=seen, cause=self.cause(cause), details=details
        )

    def warned(self, subject: str, seen: str, cause: str, **details: str) -> Finding:
        """The same, where it does not make the platform wrong."""
        return Finding(
            check=self, subject=subject, outcome="warned", seen=seen, cause=self.cause(cause), details=details
        )

    def cause(self, name: str) -> Cause:
        """The row's cause of that name; KeyError where there is none."""
        found = {cause.name: cause for cause in self.causes}
        if name not in found:
            raise KeyError(f"check {self.name} has no cause {name}: it has {', '.join(sorted(found))}")
        return found[name]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a check found on one subject (`node l40s-0`, `pool burst`); `seen` is what was observed, in words."""

    check: Check
    subject: str
    outcome: Outcome
    seen: str = ""
    cause: Cause | None = None
    #: What the remedy's placeholders stand for.
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def remedy(self) -> str:
        """What to do, about this very subject; empty where nothing is wrong."""
        return filled(self.cause.remedy, self.details) if self.cause else ""


def filled(remedy: str, details: Mapping[str, str]) -> str:
    """A remedy with its placeholders filled in; those not given are printed in capitals."""
    return remedy.format_map(_Placeholders(details))


def any_failed(findings: Iterable[Finding]) -> bool:
    """Whether something is wrong."""
    return any(finding.outcome == "failed" for finding in findings)
