"""The chart of a burst as SVG: pods pending and running, and nodes, over time. Text in, text out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from rehearsal.rehearse.result import PoolBurst
from rehearsal.rehearse.watching import Point

WIDTH: Final = 920
_PANEL_HEIGHT: Final = 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 120, 44, 38
#: Lines that a scale is divided into, at most.
_TICKS: Final = 5
_STEPS: Final = (1, 2, 5)
#: How long the last value is drawn on, so that an end can be seen.
_TAIL_SHARE: Final = 0.02

_STYLE: Final = """
  .bg { fill: #ffffff } .axis { stroke: #57606a } .grid { stroke: #d8dee4 }
  text { fill: #1f2328; font: 13px system-ui, -apple-system, "Segoe UI", sans-serif }
  .title { font-weight: 600; font-size: 15px } .small { fill: #57606a; font-size: 12px }
  .line { fill: none; stroke-width: 2.2; stroke-linejoin: round }
  .pending { stroke: #bf8700 } .running { stroke: #1a7f37 } .nodes { stroke: #0969da; stroke-width: 3 }
  text.pending, text.running, text.nodes { stroke: none; font-weight: 600 }
  text.pending { fill: #9a6700 } text.running { fill: #1a7f37 } text.nodes { fill: #0969da }
  @media (prefers-color-scheme: dark) {
    .bg { fill: #0d1117 } .axis { stroke: #8b949e } .grid { stroke: #30363d }
    text { fill: #e6edf3 } .small { fill: #8b949e }
    .pending { stroke: #d29922 } .running { stroke: #3fb950 } .nodes { stroke: #58a6ff }
    text.pending { fill: #d29922 } text.running { fill: #3fb950 } text.nodes { fill: #58a6ff }
  }
"""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One burst with its title."""

    title: str
    points: tuple[Point, ...]


_SERIES: Final[tuple[tuple[str, Callable[[Point], int]], ...]] = (
    ("pending", lambda point: point.pending),
    ("running", lambda point: point.running),
    ("nodes", lambda point: point.nodes),
)


def panel(words: str, one: PoolBurst) -> Panel:
    """The panel of a burst; the title says how it ended."""
    burst = one.burst
    nodes = burst.launched or burst.nodes
    return Panel(title=f"{words}: {burst.running} pods on {nodes} nodes", points=burst.points)


def chart(panels: Sequence[Panel]) -> str:
    """One SVG with a panel under the other, all on the same time and count scales."""
    seconds = max(point.seconds for one in panels for point in one.points) * (1 + _TAIL_SHARE) or 1.0
    most = max((max(p.pending, p.running, p.nodes) for one in panels for p in one.points), default=0) or 1
    height = _PANEL_HEIGHT * len(panels)
    described = escape("; ".join(one.title for one in panels), quote=True)
    body = "".join(
        f'<g transform="translate(0 {index * _PANEL_HEIGHT})">{"".join(_panel(one, seconds, most))}</g>'
        for index, one in enumerate(panels)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{described}">'
        f"<style>{_STYLE}</style>"
        f'<rect class="bg" width="{WIDTH}" height="{height}"/>{body}</svg>'
    )


def _panel(one: Panel, seconds: float, most: int) -> Iterator[str]:
    width, height = WIDTH - _LEFT - _RIGHT, _PANEL_HEIGHT - _TOP - _BOTTOM

    def x(value: float) -> float:
        return round(_LEFT + width * value / seconds, 1)

    def y(value: float) -> float:
        return round(_TOP + height * (1 - value / most), 1)

    yield f'<text class="title" x="{_LEFT}" y="26">{escape(one.title)}</text>'
    for value in ticks(most):
        yield f'<line class="grid" x1="{_LEFT}" x2="{_LEFT + width}" y1="{y(value)}" y2="{y(value)}"/>'
        yield f'<text class="small" x="{_LEFT - 8}" y="{y(value) + 4}" text-anchor="end">{value}</text>'
    for value in ticks(seconds):
        yield f'<text class="small" x="{x(value)}" y="{_TOP + height + 18}" text-anchor="middle">{value} s</text>'
    yield f'<line class="axis" x1="{_LEFT}" x2="{_LEFT + width}" y1="{y(0)}" y2="{y(0)}"/>'
    for name, value_of in _SERIES:
        path = " ".join(f"{x(at)},{y(value)}" for at, value in _stairs(one.points, value_of, seconds))
        yield f'<polyline class="line {name}" points="{path}"/>'
    yield from _legend(one, y, _LEFT + width + 10)


def _legend(one: Panel, y: Callable[[float], float], left: float) -> Iterator[str]:
    """Each line's name and last value beside its end, pushed apart where they would meet."""
    last = one.points[-1]
    ends = sorted((y(value_of(last)), name, value_of(last)) for name, value_of in _SERIES)
    before = -100.0
    for end, name, value in ends:
        place = max(end + 4, before + 17)
        before = place
        yield f'<text class="{name}" x="{left}" y="{round(place, 1)}">{value} {name}</text>'


def _stairs(points: Sequence[Point], value_of: Callable[[Point], int], end: float) -> Iterator[tuple[float, int]]:
    """Corners of the step line: a count stays until it changes."""
    before: int | None = None
    for point in points:
        value = value_of(point)
        if value != before:
            if before is not None:
                yield point.seconds, before
            yield point.seconds, value
            before = value
    if before is not None:
        yield min(end, points[-1].seconds), before


def ticks(most: float) -> tuple[int, ...]:
    """0 and round numbers up to `most`, at most _TICKS + 1 of them."""
    step = next(factor * 10**power for power in range(9) for factor in _STEPS if most / (factor * 10**power) <= _TICKS)
    return tuple(range(0, int(most) + 1, step))
