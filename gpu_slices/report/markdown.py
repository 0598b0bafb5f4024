"""Markdown for GitHub: what is safe in a cell, tables, folded parts, and texts that fit into a comment."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Final

#: GitHub refuses longer comments. It counts characters; bytes are never fewer.
COMMENT_BYTES: Final = 65_536

#: Rows of long lists that are shown, tried in this order until the text fits.
_ROWS: Final = (None, 200, 100, 50, 20, 10, 5, 2, 0)


def text(words: str) -> str:
    """Plain words: no markup, no link, no mention, one line."""
    flat = " ".join(words.split())
    escaped = html.escape(flat, quote=False)
    for mark in ("\\", "`", "*", "_", "|", "[", "]", "~", "#"):
        escaped = escaped.replace(mark, f"\\{mark}")
    return escaped.replace("@", "@\u200b")


def code(words: str) -> str:
    """The words in code type; anything that could end it is escaped."""
    flat = " ".join(words.split())
    if any(mark in flat for mark in "`|<"):
        return f"<code>{html.escape(flat).replace('|', '&#124;').replace('`', '&#96;')}</code>"
    return f"`{flat}`" if flat else ""


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], most: int | None = None) -> str:
    """A table of cells that are Markdown already; rows beyond `most` are counted."""
    shown = rows if most is None else rows[:most]
    lines = [_row(headings), _row(["---"] * len(headings)), *(_row(row) for row in shown)]
    return "\n".join(lines) + _beyond(len(rows) - len(shown))


def bullets(items: Sequence[str], most: int | None = None) -> str:
    """A list; items beyond `most` are counted."""
    shown = items if most is None else items[:most]
    return "\n".join(f"- {item}" for item in shown) + _beyond(len(items) - len(shown))


def folded(summary: str, body: str) -> str:
    """A part that opens on a click. `summary` is Markdown-free."""
    return f"<details><summary>{html.escape(summary, quote=False)}</summary>\n\n{body}\n\n</details>"


def fitting(build: Callable[[int | None], str], limit: int = COMMENT_BYTES) -> str:
    """The longest of the texts that fits: `build` takes how many rows of long lists to show.

    Raises ValueError when even the shortest does not.
    """
    for rows in _ROWS:
        built = build(rows)
        if len(built.encode()) <= limit:
            return built
    raise ValueError(f"does not fit into {limit} bytes")


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _beyond(count: int) -> str:
    return f"\n\n… and {count} more" if count > 0 else ""
