"""The result as a page: Markdown, and one HTML file that fetches nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from rehearsal.rehearse.chart import chart, panel
from rehearsal.rehearse.result import PoolBurst, Result

Table = tuple[tuple[str, ...], Sequence[tuple[str, ...]]]

_CSS: Final = """
  :root { color-scheme: light dark }
  body { font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; max-width: 960px; margin: 2rem auto; padding: 0 1rem }
  h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; margin-top: 2rem }
  table { border-collapse: collapse; width: 100%; display: block; overflow-x: auto }
  th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #8884; vertical-align: top }
  td { font-variant-numeric: tabular-nums } .broken { color: #cf222e; font-weight: 600 } .kept::before { content: "✓ "; color: #1a7f37 }
  .broken::before { content: "✗ " } svg { width: 100%; height: auto } ul { padding-left: 1.2rem; list-style: none }
  pre { overflow-x: auto; padding: .8rem; background: #8881; border-radius: 6px }
"""
_REAL: Final = (
    "Real here: the program, the Pulumi engine, the Kubernetes API server with its controllers and scheduler, Karpenter. "
    "Played by stand-ins: AWS, and the machines with their kubelets, device plugins and pods."
)


def headline(result: Result) -> str:
    """The result in one sentence."""
    first = result.first
    burst = first.burst
    if not result.launched_by_karpenter:
        return f"{burst.running} of {burst.asked} one-slice pods run on {burst.nodes} nodes of the pool {result.pool}."
    beside = f"; without overlays it launches {result.without.burst.launched}" if result.without else ""
    return (
        f"{burst.running} of {burst.asked} one-slice pods run: Karpenter launches {burst.launched} nodes, "
        f"the plan says {_needed(first)}{beside}."
    )


def markdown_page(result: Result) -> str:
    """The page as Markdown; the chart is in the HTML beside it."""
    parts = [f"# Rehearsal of stack {result.stack}", f"**{headline(result)}**", f"{_REAL} {_versions(result)}"]
    for title, table in _tables(result):
        parts += [f"## {title}", _markdown_table(table)]
    if result.diff:
        lines = "\n".join(str(line) for line in result.diff.lines)
        parts += ["## What the slice edit changes", f"```\n{lines}\n{result.diff.summary}\n```"]
    promised = [f"- {'✓' if one.kept else '✗'} {one.words}{_reasons(one.broken_by)}" for one in result.promises]
    parts += ["## Promises", "\n".join(promised)]
    return "\n\n".join(parts) + "\n"


def html_page(result: Result) -> str:
    """The page as one self-contained HTML file."""
    body = "\n".join(_html_body(result))
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Rehearsal of stack {escape(result.stack)}</title>\n<style>{_CSS}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def burst_chart(result: Result) -> str:
    """The chart: the burst with overlays, beside it the same without, where that was played."""
    title = "With NodeOverlays" if result.launched_by_karpenter else "Burst"
    panels = [panel(f"{title}, {result.first.burst.asked} pods asked", result.first)]
    if result.without:
        panels.append(panel(f"Without NodeOverlays, {result.without.burst.asked} pods asked", result.without))
    return chart(panels)


def _html_body(result: Result) -> Iterator[str]:
    yield f"<h1>Rehearsal of stack {escape(result.stack)}</h1>"
    yield f"<p><strong>{escape(headline(result))}</strong></p>"
    yield burst_chart(result)
    yield f"<p>{escape(f'{_REAL} {_versions(result)}')}</p>"
    for title, table in _tables(result):
        yield f"<h2>{escape(title)}</h2>"
        yield _html_table(table)
    if result.diff:
        lines = "\n".join([*(str(line) for line in result.diff.lines), result.diff.summary])
        yield f"<h2>What the slice edit changes</h2><pre>{escape(lines)}</pre>"
    yield "<h2>Promises</h2><ul>"
    for one in result.promises:
        yield f'<li class="{"kept" if one.kept else "broken"}">{escape(one.words + _reasons(one.broken_by))}</li>'
    yield "</ul>"


def _tables(result: Result) -> Iterator[tuple[str, Table]]:
    heads = (
        "burst",
        "slices per GPU",
        "pods asked",
        "running",
        "usable per node",
        "nodes needed",
        "launched",
        "nodes at the end",
        "seconds",
    )
    bursts = [one for one in (result.first, result.again, result.without) if one]
    yield "Bursts", (heads, [_burst_row(one, result) for one in bursts])
    if result.effect:
        effect = result.effect
        heads = ("nodes", "replaced", "pods running", "evicted", "above the new count until they restart")
        counts = (
            effect.nodes,
            effect.nodes_replaced,
            effect.pods_running_before,
            effect.pods_evicted,
            effect.pods_above_new_count,
        )
        edit = f"{result.edit.before} → {result.edit.after} slices per GPU" if result.edit else ""
        yield f"Slice edit, {edit}", (heads, [tuple(str(count) for count in counts)])
    rows = [(act.name, f"{act.seconds:.1f}", f"{act.peak_mib:.0f}", act.did) for act in result.acts]
    total, peak = sum(act.seconds for act in result.acts), max(act.peak_mib for act in result.acts)
    rows.append(("all steps", f"{total:.1f}", f"{peak:.0f}", ""))
    yield "Steps", (("step", "seconds", "peak MiB", "what"), rows)


def _burst_row(one: PoolBurst, result: Result) -> tuple[str, ...]:
    burst = one.burst
    return (
        one.words,
        str(one.replicas),
        str(burst.asked),
        str(burst.running),
        one.usable_words,
        _needed(one),
        str(burst.launched) if result.launched_by_karpenter else "–",
        str(burst.nodes),
        f"{burst.seconds:.1f}",
    )


def _needed(one: PoolBurst) -> str:
    least, most = one.needed.least, one.needed.most
    return str(least) if least == most else f"{least}–{most}"


def _versions(result: Result) -> str:
    return "Versions: " + ", ".join(f"{name} {version}" for name, version in result.versions.items()) + "."


def _reasons(broken_by: Sequence[str]) -> str:
    return f": {'; '.join(broken_by)}" if broken_by else ""


def _markdown_table(table: Table) -> str:
    heads, rows = table
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines)


def _html_table(table: Table) -> str:
    heads, rows = table
    head = "".join(f"<th>{escape(cell)}</th>" for cell in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
