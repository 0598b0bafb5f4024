"""Text for a terminal, or for a file: the same words, with colours only where somebody looks."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Final

from rich.console import Console

_WIDTH: Final = 120


def as_text(show: Callable[[Console], None], *, plain: bool) -> str:
    """What `show` prints. `plain` is for files: no colours, never narrower than 120 columns."""
    buffer = io.StringIO()
    real = Console()
    narrow = not plain and real.is_terminal
    console = Console(
        file=buffer, width=real.width if narrow else max(_WIDTH, real.width), force_terminal=narrow, highlight=False
    )
    show(console)
    return buffer.getvalue()
