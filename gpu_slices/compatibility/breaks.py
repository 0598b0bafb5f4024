"""Combinations that are known to break, and which of them a stack has."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final, Literal

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from .parts import Parts

Effect = Literal["refuse", "warn", "note"]

_NAMED: Final = re.compile(r"\{([a-z-]+)\}")


@dataclass(frozen=True, kw_only=True)
class Break:
    """One combination that breaks. Texts may name parts: `{kubernetes}`.

    `when` maps a part to versions (PEP 440's specifiers; `{part}` stands for another part's version); all must hold.
    `refuse` is refused before anything is created, `warn` said at every preview, `note` shown by `versions` only.
    """

    id: str
    when: Mapping[str, str]
    effect: Effect
    key: str
    problem: str
    remedy: str
    source: str

    @property
    def parts(self) -> frozenset[str]:
        """The parts that the break is about."""
        return frozenset({*self.when, *(name for wanted in self.when.values() for name in _NAMED.findall(wanted))})


@dataclass(frozen=True, kw_only=True)
class Applied:
    """A break that a stack has, with its parts' versions in the words."""

    id: str
    effect: Effect
    key: str
    problem: str
    remedy: str
    source: str


@cache
def breaks() -> tuple[Break, ...]:
    """All known breaks, in the order of the file. Read once per process."""
    content = json.loads(files("gpu_slices.compatibility").joinpath("breaks.json").read_text(encoding="utf-8"))
    return tuple(Break(**row) for row in content["breaks"])


def applied(parts: Parts, effect: Effect) -> tuple[Applied, ...]:
    """The breaks of one effect that these parts have. A part that is not known breaks nothing."""
    return tuple(_worded(one, parts) for one in breaks() if one.effect == effect and _holds(one, parts))


def _holds(one: Break, parts: Parts) -> bool:
    return all(_matches(parts.get(part), wanted, parts) for part, wanted in one.when.items())


def _matches(version: str | None, wanted: str, parts: Parts) -> bool:
    if version is None or any(parts.get(name) is None for name in _NAMED.findall(wanted)):
        return False
    return _contains(_filled(wanted, parts), version)


@cache
def _contains(specifiers: str, version: str) -> bool:
    return SpecifierSet(specifiers, prereleases=True).contains(Version(version))


def _worded(one: Break, parts: Parts) -> Applied:
    return Applied(
        id=one.id,
        effect=one.effect,
        key=_filled(one.key, parts),
        problem=_filled(one.problem, parts),
        remedy=_filled(one.remedy, parts),
        source=one.source,
    )


def _filled(text: str, parts: Parts) -> str:
    return _NAMED.sub(lambda found: parts.get(found[1]) or "?", text)
