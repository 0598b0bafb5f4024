"""docs/troubleshooting.md, made from the tables of checks: symptom, cause, remedy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from ..checks.table import Check, filled

_HEAD: Final = """# Troubleshooting

Made from the tables of checks by `python -m gpu_slices.checks`; a test keeps the two equal. Words in capitals stand for
names of yours.
"""
_ON_CLUSTER: Final = """## On the cluster

`python -m gpu_slices doctor --stack NAME` looks at all of this and names the cause; `verify` proves sharing with pods.
"""
_BEFORE_UP: Final = """## Before and during `up`

`python -m gpu_slices preflight --stack NAME` looks at all of this before the first `up`; it only reads.
"""


def troubleshooting_page(on_cluster: Iterable[Check], before_up: Iterable[Check]) -> str:
    """The page as Markdown; checks that nothing can be wrong with are left out."""
    parts = [(_ON_CLUSTER, _explained(on_cluster)), (_BEFORE_UP, _explained(before_up))]
    index = [line for head, rows in parts for line in (head, _index(rows))]
    sections = [line for _, rows in parts for row in rows for line in _row(row)]
    return "\n".join([_HEAD, *index, *sections]).rstrip("\n") + "\n"


def _explained(rows: Iterable[Check]) -> tuple[Check, ...]:
    return tuple(row for row in rows if row.causes)


def _index(rows: Iterable[Check]) -> str:
    return "".join(f"* [{_symptom(row)}](#{row.name})\n" for row in rows)


def _symptom(row: Check) -> str:
    return row.symptom[:1].upper() + row.symptom[1:]


def _row(row: Check) -> Iterator[str]:
    yield f"### {row.name}\n"
    yield f"**{_symptom(row)}.**\n"
    yield f"Looked at: {row.looks_at}. Fine when {row.judged}.\n"
    yield "| cause | what it is | what to do |\n|---|---|---|"
    for cause in row.causes:
        yield f"| {cause.name} | {_cell(cause.text)} | {_cell(filled(cause.remedy, {}))} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
