"""Reviews in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..review.engine_changes import KINDS, EngineChanges
from ..review.stack_review import StackReview
from .engine_markdown import tally as engine_tally
from .review_words import (
    POOL_HEADINGS,
    edit_words,
    grouped,
    headline,
    money,
    pool_cells,
    prices,
    tally,
    tenant_words,
    title,
    use_words,
)
from .terminal import as_text
from .words import counted

_COLOURS = {"stop": "bold red", "risk": "yellow", "note": "dim"}


def reviews_text(reviews: Sequence[StackReview], *, plain: bool, engine: EngineChanges | None = None) -> str:
    """All reviews, one after the other."""
    return as_text(lambda console: _print(reviews, engine, console), plain=plain)


def _print(reviews: Sequence[StackReview], engine: EngineChanges | None, console: Console) -> None:
    if not reviews:
        console.print("No stack file differs.")
    for review in reviews:
        console.print(Text.assemble(("stack ", "bold"), (review.stack, "bold"), f": {title(review)}"))
        if not review.valid:
            _mistakes(review, console)
        else:
            _body(review, console)
        if engine is not None:
            _engine(engine, console)


def _mistakes(review: StackReview, console: Console) -> None:
    for side in (review.old, review.new):
        if side.mistakes:
            console.print(Text(f"{counted(len(side.mistakes), 'mistake')} in {side.where}:", style="bold red"))
            for mistake in side.mistakes:
                console.print(Text(f"  {mistake}"))


def _body(review: StackReview, console: Console) -> None:
    console.print(Text.assemble((headline(review), "bold"), f"  ({tally(review)})"))
    if review.changed_pools:
        console.print(_pools(review))
    for edit, then in review.edits:
        console.print(Text.assemble((edit.path, "cyan"), f" {edit_words(edit)}: {then.effect} - {then.words}"))
    for pair in review.tenants:
        if pair.old != pair.new:
            console.print(Text(f"tenant {pair.tenant}: {tenant_words(pair)}"))
    for level, paths, message in grouped(review.risks):
        console.print(Text.assemble((f"{level} ", _COLOURS[level]), f"{', '.join(paths)}: {message}"))
    for use in review.use or ():
        console.print(Text(f"today in {use.pool}: {use_words(use)}"))
    for word, warnings in (("new", review.new_warnings), ("gone", review.gone_warnings)):
        for warning in warnings:
            console.print(Text.assemble((f"{word} warning ", "yellow" if word == "new" else "green"), str(warning)))
    console.print(Text(f"{money(review.old_cost, review.new_cost)} ({prices(review)})"))


def _pools(review: StackReview) -> Table:
    table = Table(header_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("pool", "type", *POOL_HEADINGS):
        table.add_column(heading, no_wrap=True)
    for pair in review.changed_pools:
        for shape in pair.shapes:
            table.add_row(pair.name, shape.name, *pool_cells(pair, shape))
    return table


def _engine(engine: EngineChanges, console: Console) -> None:
    console.print(Text.assemble(("engine: ", "bold"), engine_tally(engine)))
    for line in engine.errors:
        console.print(Text.assemble(("error ", "bold red"), line))
    for kind in KINDS:
        for change in engine.changes:
            if change.kind == kind:
                because = f" because of {', '.join(change.because)}" if change.because else ""
                console.print(Text(f"  {kind} {change.type} {change.name}{because}"))
                for one in change.properties:
                    console.print(Text("\n".join([f"      {one.path}", *(f"        {line}" for line in one.lines)])))
