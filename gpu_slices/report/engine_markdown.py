"""The engine's own preview as Markdown, folded below a review."""

from __future__ import annotations

from collections.abc import Iterator

from ..review.engine_changes import KINDS, EngineChanges, ResourceChange
from .markdown import bullets, code, folded, text


def engine_section(engine: EngineChanges, rows: int | None) -> str:
    """Errors in the open; what is replaced or deleted by name; everything folded, replaced first."""
    parts = [f"**The engine's preview**: {tally(engine)}"]
    if engine.errors:
        until = f"after {tally(engine)}" if engine.changes else "before it saw a change"
        parts[0] = f"**The engine's preview failed** {until}"
        parts.append(bullets([f"**error** {text(line)}" for line in engine.errors], rows))
    for kind in ("replaced", "deleted"):
        names = [f"{code(change.name)} ({text(change.type)}){_because(change)}" for change in _of(engine, kind)]
        if names:
            parts.append(f"{kind}:\n\n{bullets(names, 10 if rows is None else min(10, rows))}")
    if engine.changes:
        parts.append(folded(f"All {len(engine.changes)} changes", "\n\n".join(_groups(engine, rows))))
    return "\n\n".join(parts)


def tally(engine: EngineChanges) -> str:
    """`1 replaced, 2 updated, 60 unchanged`."""
    counts = [f"{engine.count(kind)} {kind}" for kind in KINDS if engine.count(kind)]
    return ", ".join([*counts, f"{engine.unchanged} unchanged"]) if counts else "nothing changes"


def _of(engine: EngineChanges, kind: str) -> list[ResourceChange]:
    return [change for change in engine.changes if change.kind == kind]


def _because(change: ResourceChange) -> str:
    return f" because of {text(', '.join(change.because))}" if change.because else ""


def _groups(engine: EngineChanges, rows: int | None) -> Iterator[str]:
    for kind in KINDS:
        changes = _of(engine, kind)
        if changes:
            shown = changes if rows is None else changes[:rows]
            more = f"\n\n… and {len(changes) - len(shown)} more" if len(shown) < len(changes) else ""
            lines = [line for change in shown for line in _change(kind, change)]
            yield f"**{kind}** ({len(changes)})\n\n```diff\n{chr(10).join(lines)}\n```{more}"


def _change(kind: str, change: ResourceChange) -> Iterator[str]:
    mark = {"created": "+", "deleted": "-", "replaced": "!", "updated": "!"}[kind]
    yield f"{mark} {_flat(change.type)} {_flat(change.name)}"
    for one in change.properties:
        yield f"    {_flat(one.path)}"
        for line in one.lines:
            yield f"{line[0]}     {_flat(line[2:])}"


def _flat(words: str) -> str:
    """One line that cannot end the block it stands in."""
    return " ".join(words.split()).replace("```", "'''")
