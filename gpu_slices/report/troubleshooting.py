"""docs/troubleshooting.md, made from the table of checks: symptom, cause, remedy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..checks.table import Check, filled

_HEAD = """# Troubleshooting

Made from the table of checks by `python -m gpu_slices.checks`; a test keeps the two equal. `python -m gpu_slices doctor
--stack NAME` looks at all of this on the cluster and names the cause; `verify` proves sharing with pods. Words in
capitals stand for names of yours.
"""


def troubleshooting_page(rows: Iterable[Check]) -> str:
    """The page as Markdown."""
    every = tuple(rows)
    index = "".join(f"* [{row.symptom}](#{row.name})\n" for row in every)
    return "\n".join([_HEAD, index, *(line for row in every for line in _row(row))]).rstrip("\n") + "\n"


def _row(row: Check) -> Iterator[str]:
    yield f"## {row.name}\n"
    yield f"**{row.symptom}.**\n"
    yield f"Looked at: {row.looks_at}. Fine when {row.judged}.\n"
    yield "| cause | what it is | what to do |\n|---|---|---|"
    for cause in row.causes:
        yield f"| {cause.name} | {_cell(cause.text)} | {_cell(filled(cause.remedy, {}))} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
