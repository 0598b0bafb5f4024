"""Numbers as people read them."""

from __future__ import annotations

from collections.abc import Sequence

#: Shown where a figure is not known.
UNKNOWN = "?"


def gib(mib: int) -> str:
    """4577 → `4.5 GiB`."""
    return f"{mib / 1024:.1f} GiB"


def usd(amount: float | None) -> str:
    """0.224208 → `$0.224`; a price that is not known is `?`."""
    return UNKNOWN if amount is None else f"${amount:.3f}"


def usd_month(amount: float | None) -> str:
    """1894.8904 → `$1,895`."""
    return UNKNOWN if amount is None else f"${amount:,.0f}"


def arrow(old: str | None, new: str | None) -> str:
    """`10 → 4`; one value where nothing changed or only one side is there."""
    before, after = old if old is not None else new, new if new is not None else old
    if before is None or after is None:
        return UNKNOWN
    return before if before == after else f"{before} → {after}"


def span(sizes: Sequence[str]) -> str:
    """`4.5`, or `5.0–20.0` from the first to the last of several."""
    return sizes[0] if sizes[0] == sizes[-1] else f"{sizes[0]}–{sizes[-1]}"


def counted(count: int, thing: str) -> str:
    """`1 risk`, `2 risks`."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
