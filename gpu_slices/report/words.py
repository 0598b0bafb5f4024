"""Numbers as people read them."""

from __future__ import annotations

#: Shown where a figure is not known.
UNKNOWN = "?"


def gib(mib: int) -> str:
    """4577 → `4.5 GiB`."""
    return f"{mib / 1024:.1f} GiB"


def usd(amount: float | None) -> str:
    """0.224208 → `$0.224`; a price that is not known is `?`."""
    return UNKNOWN if amount is None else f"${amount:.3f}"
