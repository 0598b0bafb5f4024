"""A stack's versions and known breaks, for a terminal, a page and programs."""

from __future__ import annotations

from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..compatibility.overview import BreakRow, Overview
from ..compatibility.parts import newest_read
from . import markdown
from .terminal import as_text

_VERSIONS: Final = ("part", "this stack", "newest known")
_BREAKS: Final = ("known break", "when", "here", "source")


def versions_text(shown: Overview, *, plain: bool) -> str:
    """For the terminal."""

    def show(console: Console) -> None:
        for headings, rows in ((_VERSIONS, _version_rows(shown)), (_BREAKS, _break_rows(shown))):
            table = Table(header_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
            for heading in headings:
                table.add_column(heading, overflow="fold")
            for row in rows:
                table.add_row(*(Text(cell) for cell in row))
            console.print(table)
        console.print(Text(_footnote()))

    return as_text(show, plain=plain)


def versions_markdown(shown: Overview) -> str:
    """For a page."""
    tables = [
        markdown.table(headings, [[markdown.text(cell) for cell in row] for row in rows])
        for headings, rows in ((_VERSIONS, _version_rows(shown)), (_BREAKS, _break_rows(shown)))
    ]
    return "\n\n".join([*tables, markdown.text(_footnote())]) + "\n"


def versions_json(shown: Overview) -> dict[str, Any]:
    """For programs."""
    return {
        "stack": shown.stack,
        "newestRead": newest_read(),
        "versions": [
            {"part": row.part, "here": row.here, "newest": row.newest or None, "source": row.source or None}
            for row in shown.versions
        ],
        "breaks": [
            {
                "id": row.known.id,
                "when": dict(row.known.when),
                "effect": row.known.effect,
                "state": row.state,
                "keys": list(row.where),
                "words": row.words or None,
                "source": row.known.source,
            }
            for row in shown.breaks
        ],
    }


def _version_rows(shown: Overview) -> list[tuple[str, ...]]:
    return [(row.part, row.here, row.newest or "-") for row in shown.versions]


def _break_rows(shown: Overview) -> list[tuple[str, ...]]:
    return [(row.known.id, _when(row), _here(row), row.known.source) for row in shown.breaks]


def _when(row: BreakRow) -> str:
    whole = ", ".join(f"{part} {wanted}" for part, wanted in row.known.when.items())
    return whole.replace("{", "").replace("}", "")


def _here(row: BreakRow) -> str:
    return f"applies ({', '.join(row.where)}): {row.words}" if row.state == "applies" else row.state


def _footnote() -> str:
    return f"Newest versions as of {newest_read()}; newer ones may exist. Pins: gpu_slices/versions.py."
