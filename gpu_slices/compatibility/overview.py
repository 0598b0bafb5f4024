"""The versions of one stack beside the newest that are known, and which known breaks concern it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..charts import releases
from ..cloud_refs import placeholders
from ..plan import Plan
from ..settings.cluster import Cluster
from ..settings.compatibility_checks import pool_parts_of, stack_parts_of
from .breaks import Break, applied, breaks
from .parts import newest

#: What a break means for a stack: it has it, all its parts are in it with other versions, or they are not.
State = Literal["applies", "avoided", "does not concern"]


@dataclass(frozen=True, kw_only=True)
class VersionRow:
    """One part: what the stack has (a word where EKS decides), and the newest known ("" where nobody looked)."""

    part: str
    here: str
    newest: str
    source: str


@dataclass(frozen=True, kw_only=True)
class BreakRow:
    """One known break and what it means for the stack; `where` are the keys it is about, when it applies."""

    known: Break
    state: State
    where: tuple[str, ...]
    words: str


@dataclass(frozen=True, kw_only=True)
class Overview:
    """A stack's versions and breaks, in a fixed order."""

    stack: str
    versions: tuple[VersionRow, ...]
    breaks: tuple[BreakRow, ...]


def overview(plan: Plan) -> Overview:
    """The overview of a stack that is valid: breaks that are refused never apply to it."""
    return Overview(stack=plan.stack, versions=_versions(plan), breaks=tuple(_break(plan, one) for one in breaks()))


def _versions(plan: Plan) -> tuple[VersionRow, ...]:
    cluster = plan.settings.cluster
    own = cluster.version if isinstance(cluster, Cluster) else "the adopted cluster's"
    rows = [_row("kubernetes", "Kubernetes", own)]
    pins = {one.pin.chart: one.pin.version for one in releases(plan, placeholders(plan))}
    rows += [_row(chart, chart, version) for chart, version in sorted(pins.items())]
    for path, several in sorted(pool_parts_of(plan.settings).items()):
        release = several[0]["image-release"]
        rows.append(_row("image", f"image of {path}", release or "EKS's newest at creation"))
        if driver := several[0]["driver"]:
            rows.append(VersionRow(part=f"newest driver of {path}", here=driver, newest="", source=""))
    return tuple(rows)


def _row(part: str, title: str, here: str) -> VersionRow:
    known = newest().get(part)
    return VersionRow(
        part=title, here=here, newest=known.version if known else "", source=known.source if known else ""
    )


def _break(plan: Plan, known: Break) -> BreakRow:
    several = [
        stack_parts_of(plan.settings),
        *(one for parts in pool_parts_of(plan.settings).values() for one in parts),
    ]
    found = sorted({one for parts in several for one in applied(parts, known.effect) if one.id == known.id}, key=str)
    here = any(all(parts.get(part) is not None for part in known.parts) for parts in several)
    return BreakRow(
        known=known,
        state="applies" if found else "avoided" if here else "does not concern",
        where=tuple(sorted({one.key for one in found})),
        words="; ".join(sorted({f"{one.problem}: {one.remedy}" for one in found})),
    )
