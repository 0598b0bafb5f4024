"""Figures as data, plain text and Markdown. Failed runs are listed and give no figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from .metrics import DEFAULT_SLO, Record, Slo
from .records import failed_runs
from .rows import Row, rows_of
from .stats import Interval

SATURATED = ("mode", "condition", "models", "load", "runs", "tokens/s", "STP", "slowdown", "ideal", "ε", "Jain",
             "of one batched server", "TTFT p50/p99 ms", "TPOT p50 ms", "ITL p99 ms", "GPU busy")  # fmt: skip
OFFERED = ("mode", "condition", "models", "load", "runs", "requests", "tokens/s", "good requests/s", "request p50 ms",
           "ideal", "TTFT p50/p99 ms", "ideal TTFT p50", "TPOT p50 ms", "GPU busy")  # fmt: skip


def summary(records: Sequence[Record], slo: Slo = DEFAULT_SLO) -> dict[str, Any]:
    """All that the text forms show, as data: intervals as {mean, low, high, n}, latencies in milliseconds."""
    return {
        "environments": [record for record in records if record["kind"] == "environment"],
        "slo": asdict(slo),
        "conditions": [
            {**asdict(row), "epsilon": asdict(epsilon) if (epsilon := _epsilon(row)) else None}
            for row in rows_of(records, slo)
        ],
        "probes": [record for record in records if record["kind"] == "probe"],
        "failed": [
            {key: record[key] for key in ("condition", "servers", "repeat", "load", "problems")}
            for record in failed_runs(records)
        ],
        "left_out": [record for record in records if record["kind"] == "left-out"],
    }


def _epsilon(row: Row) -> Interval | None:
    shared = row.condition.name == "shared"
    return row.comparison.epsilon if row.comparison and shared else None


def milliseconds(value: float | None) -> str:
    """Three figures; a dash for what was not measured."""
    return "–" if value is None else f"{value:.3g}" if value < 100 else f"{value:.0f}"


def models_text(row: Row) -> str:
    """`2 × 3b`, `1b + 3b`, or `3b, 1 idle`."""
    models, idle = row.condition.models, row.condition.servers - len(row.condition.models)
    if len(set(models)) == 1:
        named = models[0] if len(models) == 1 else f"{len(models)} × {models[0]}"
    else:
        named = " + ".join(models)
    return f"{named}, {idle} idle" if idle else named


def _common(row: Row) -> tuple[str, ...]:
    condition = row.condition
    return (condition.mode, condition.name, models_text(row), condition.load, str(row.runs))


def _first_token(row: Row) -> str:
    return f"{milliseconds(row.ttft_p50)} / {milliseconds(row.ttft_p99)}"


def _busy(row: Row) -> str:
    return f"{row.gpu['utilization.gpu']:.0f} %" if row.gpu else "–"


def _saturated(row: Row) -> tuple[str, ...]:
    seen, epsilon = row.comparison, _epsilon(row)
    return (
        *_common(row),
        row.token_rate.text(0),
        seen.stp.text() if seen else "–",
        seen.antt.text(2) if seen else "–",
        f"{seen.ideal:.2f}" if seen and seen.ideal else "–",
        epsilon.text() if epsilon else "–",
        f"{seen.jain.mean:.3f}" if seen and seen.driven > 1 else "–",
        row.over_batched.text(2) if row.over_batched else "–",
        _first_token(row),
        milliseconds(row.tpot_p50),
        milliseconds(row.itl_p99),
        _busy(row),
    )


def _offered(row: Row) -> tuple[str, ...]:
    ideal = row.ideal_open
    return (
        *_common(row),
        str(row.requests),
        row.token_rate.text(0),
        row.goodput.text(1),
        milliseconds(row.e2e_p50),
        milliseconds(ideal.e2e_p50 * 1e3) if ideal else "–",
        _first_token(row),
        milliseconds(ideal.ttft_p50 * 1e3) if ideal else "–",
        milliseconds(row.tpot_p50),
        _busy(row),
    )


def tables(records: Sequence[Record], slo: Slo = DEFAULT_SLO) -> list[list[tuple[str, ...]]]:
    """Head and rows of the tables: saturating (closed-loop) load, then offered (open-loop) load; empty ones left out."""
    rows = rows_of(records, slo)
    saturated = [_saturated(row) for row in rows if row.condition.load.startswith("closed")]
    offered = [_offered(row) for row in rows if not row.condition.load.startswith("closed")]
    return [[head, *body] for head, body in ((SATURATED, saturated), (OFFERED, offered)) if body]


HEADLINE = ("models, all busy", "mode", "slowdown", "ideal sharing", "ε", "whole GPU over one model alone",
            "over one server with all requests")  # fmt: skip


def headline(records: Sequence[Record], load: str = "closed 8") -> str:
    """The short Markdown table: equal models sharing under one saturating load."""
    rows = [
        row
        for row in rows_of(records)
        if (row.condition.name, row.condition.load) == ("shared", load) and len(set(row.condition.models)) == 1
    ]
    cells = [
        (
            str(row.condition.servers),
            row.condition.mode,
            row.comparison.antt.text(2) if row.comparison else "–",
            f"{row.comparison.ideal:.2f}" if row.comparison and row.comparison.ideal else "–",
            epsilon.text(3) if (epsilon := _epsilon(row)) else "–",
            row.comparison.stp.text(2) if row.comparison else "–",
            row.over_batched.text(2) if row.over_batched else "not run",
        )
        for row in sorted(rows, key=lambda row: (row.condition.mode != "graph", row.condition.servers))
    ]
    return _markdown_table([HEADLINE, *cells]) + "\n"


def _markdown_table(table: Sequence[tuple[str, ...]]) -> str:
    return "\n".join(
        "| " + " | ".join(cells) + " |" for cells in (table[0], tuple("---" for _ in table[0]), *table[1:])
    )


def trouble(records: Sequence[Record]) -> list[str]:
    """One line per failed or left-out run."""
    failed = [
        f"failed: {record['condition']}, {record['servers']} models, {record['labels'].get('load') or record['load']}, "
        f"repeat {record['repeat']}: {'; '.join(record['problems'])}"
        for record in failed_runs(records)
    ]
    return failed + [
        f"not run: {record['condition']}, {record['servers']} models, {record['load']}, repeat {record['repeat']}: "
        f"{record['why']}"
        for record in records
        if record["kind"] == "left-out"
    ]


def markdown(records: Sequence[Record], slo: Slo = DEFAULT_SLO) -> str:
    """Markdown tables, then what failed and what was not run."""
    blocks = [_markdown_table(table) for table in tables(records, slo)]
    if found := trouble(records):
        blocks.append("\n".join(f"* {line}" for line in found))
    return "\n\n".join(blocks) + "\n"


def with_tables(page: str, records: Sequence[Record]) -> str:
    """The page with the tables between `<!-- headline -->`, `<!-- all -->` and their end markers made anew."""
    for name, content in (("headline", headline(records)), ("all", markdown(records))):
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, found, rest = page.partition(start)
        _, closed, after = rest.partition(end)
        if found and closed:
            page = f"{before}{start}\n\n{content}\n{end}{after}"
    return page


def text(records: Sequence[Record], slo: Slo = DEFAULT_SLO) -> str:
    """The same as aligned plain text."""
    blocks: list[str] = []
    for table in tables(records, slo):
        widths = [max(len(cells[column]) for cells in table) for column in range(len(table[0]))]
        blocks.append(
            "\n".join(
                "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
                for cells in table
            )
        )
    return "\n\n".join(blocks + (["\n".join(found)] if (found := trouble(records)) else [])) + "\n"
