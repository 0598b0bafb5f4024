"""Reviews as Markdown: one screen for the everyday edit, everything else folded, never longer than a comment may be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ..cost.price_table import load_prices
from ..cost.stack_cost import CostLine, StackCost, line_pairs
from ..review.engine_changes import EngineChanges
from ..review.pool_pairs import PoolPair
from ..review.stack_review import Side, StackReview
from .engine_markdown import engine_section
from .markdown import COMMENT_BYTES, bullets, code, fitting, folded, table, text
from .review_mermaid import picture
from .review_words import (
    POOL_HEADINGS,
    edit_words,
    grouped,
    head_words,
    headline,
    money,
    pool_cells,
    prices,
    tally,
    tenant_words,
    title,
    use_words,
)
from .words import arrow, counted, usd_month

#: Keys that one risk names.
_MOST_PATHS: Final = 4


def marker(stack: str) -> str:
    """The hidden first line by which a comment is found again and updated."""
    return f"<!-- gpu-slices review of stack {stack} -->"


def comment(review: StackReview, engine: EngineChanges | None = None, remark: str = "") -> str:
    """The comment of one stack. `remark` is one more line under the title."""
    return fitting(lambda rows: _stack(review, rows, engine, remark))


def reviews_markdown(reviews: Sequence[StackReview]) -> str:
    """Several stacks in one text; those that do not fit at all are counted."""
    if not reviews:
        return "No stack file differs.\n"
    for shown in range(len(reviews), 0, -1):
        beyond = f"\n… and {counted(len(reviews) - shown, 'more stack')}\n" if shown < len(reviews) else ""
        try:
            return fitting(
                lambda rows, shown=shown, beyond=beyond: (
                    "\n".join(_stack(one, rows) for one in reviews[:shown]) + beyond
                )
            )
        except ValueError:
            continue
    raise ValueError(f"one stack alone does not fit into {COMMENT_BYTES} bytes")


def _stack(review: StackReview, rows: int | None, engine: EngineChanges | None = None, remark: str = "") -> str:
    parts = [marker(review.stack), f"### Stack {code(review.stack)}: {text(title(review))}"]
    if remark:
        parts.append(text(remark))
    parts += _mistakes(review, rows) if not review.valid else _body(review, rows)
    if engine is not None:
        parts.append(engine_section(engine, rows))
    parts.append(f"<sub>{_provenance(review)}</sub>")
    return "\n\n".join(parts) + "\n"


def _mistakes(review: StackReview, rows: int | None) -> Iterator[str]:
    for side, word in ((review.old, "before"), (review.new, "after")):
        if side.mistakes:
            yield f"**{counted(len(side.mistakes), 'mistake')} in the settings {word}** ({text(side.where)}):"
            yield bullets([text(str(mistake)) for mistake in side.mistakes], rows)


def _body(review: StackReview, rows: int | None) -> Iterator[str]:
    summary = f"**{text(headline(review))}** · {tally(review)}"
    yield f"{summary} · {text(money(review.old_cost, review.new_cost))}"
    grave = [risk for risk in review.risks if risk.level != "note"]
    yield from _pools(review, rows)
    tenants = [
        f"tenant {code(pair.tenant)}: {text(tenant_words(pair))}" for pair in review.tenants if _concerns(review, pair)
    ]
    risks = [f"**{level}** {_paths(paths)}: {text(message)}" for level, paths, message in grouped(grave)]
    if tenants or risks:
        yield bullets([*tenants, *risks], rows)
    if review.use is not None:
        yield bullets([f"today in {code(one.pool)}: {text(use_words(one))}" for one in review.use], rows)
    if source := picture(review):
        yield f"```mermaid\n{source}\n```"
    yield from _details(review, rows)


def _paths(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _MOST_PATHS} more" if len(paths) > _MOST_PATHS else ""
    return ", ".join(code(path) for path in paths[:_MOST_PATHS]) + more


def _concerns(review: StackReview, pair: object) -> bool:
    """Tenants whose side changed; of a new stack, all."""
    return getattr(pair, "old", None) != getattr(pair, "new", None) or review.old.plan is None


def _pools(review: StackReview, rows: int | None) -> Iterator[str]:
    changed = [pair for pair in review.pools if pair.change != "same"]
    same = len(review.pools) - len(changed)
    if changed:
        headings = ("pool", *POOL_HEADINGS, "$ a month (limit)")
        yield table(headings, [_pool_row(review, pair) for pair in changed], rows)
    if same and changed:
        yield f"{counted(same, 'other pool')} as before."


def _pool_row(review: StackReview, pair: PoolPair) -> tuple[str, ...]:
    word = {"added": " (new)", "removed": " (goes)"}.get(pair.change, "")
    name = f"{code(pair.name)}{word}<br>{text(head_words(pair))}"
    old, new = _line(review.old_cost, pair.old and pair.old.path), _line(review.new_cost, pair.new and pair.new.path)
    configured = arrow(old and usd_month(old.configured), new and usd_month(new.configured))
    limit = arrow(old and usd_month(old.limit), new and usd_month(new.limit))
    return (name, *(text(cell) for cell in pool_cells(pair, pair.head)), text(f"{configured} ({limit})"))


def _line(cost: StackCost | None, path: str | None) -> CostLine | None:
    return None if cost is None or path is None else cost.of(path)


def _details(review: StackReview, rows: int | None) -> Iterator[str]:
    notes = [risk for risk in review.risks if risk.level == "note"]
    if notes:
        lines = [f"{_paths(paths)}: {text(message)}" for _, paths, message in grouped(notes)]
        yield folded(counted(len(notes), "note"), bullets(lines, rows))
    if review.edits:
        edited = [
            (code(edit.path), text(edit_words(edit)), then.effect, text(then.words)) for edit, then in review.edits
        ]
        yield folded(
            f"Edited keys ({len(edited)}): what each does",
            table(("key", "edit", "effect", "what it does to nodes and pods"), edited, rows),
        )
    types = [
        (code(pair.name), code(shape.name), *(text(cell) for cell in pool_cells(pair, shape)))
        for pair in review.changed_pools
        for shape in pair.shapes
        if len(pair.shapes) > 1
    ]
    if types:
        yield folded(f"Every instance type ({len(types)})", table(("pool", "type", *POOL_HEADINGS), types, rows))
    if review.new_warnings or review.gone_warnings:
        lines = [f"new: {code(one.path)}: {text(one.message)}" for one in review.new_warnings]
        lines += [f"gone: {code(one.path)}: {text(one.message)}" for one in review.gone_warnings]
        words = f"Warnings: {len(review.new_warnings)} new, {len(review.gone_warnings)} gone"
        yield folded(words, bullets(lines, rows))
    yield folded("Cost a month", _cost(review, rows))


def _cost(review: StackReview, rows: int | None) -> str:
    cells = [
        (
            text(line.what + _came_or_went(review, old, new)),
            arrow(_month(old, limit=False), _month(new, limit=False)),
            arrow(_month(old, limit=True), _month(new, limit=True)),
            text(line.basis),
        )
        for old, new in line_pairs(review.old_cost, review.new_cost)
        if (line := new or old)
    ]
    cost = review.new_cost or review.old_cost
    left_out = f"\n\nNot included: {text(', '.join(cost.not_included))}." if cost else ""
    return table(("", "as configured", "at the limit", "price"), cells, rows) + left_out


def _came_or_went(review: StackReview, old: CostLine | None, new: CostLine | None) -> str:
    if review.old_cost is None or review.new_cost is None:
        return ""
    return " (new)" if old is None else " (goes)" if new is None else ""


def _month(line: CostLine | None, *, limit: bool) -> str | None:
    return None if line is None else usd_month(line.limit if limit else line.configured)


def _provenance(review: StackReview) -> str:
    table_ = load_prices()
    words = [f"before: {_where(review.old)}", f"after: {_where(review.new)}"]
    if words_of_prices := prices(review):
        words.append(
            f"{words_of_prices}, services as of {table_.services_source.read}, not re-checked; 730 hours a month"
        )
    return text("; ".join(words))


def _where(side: Side) -> str:
    return side.where if side.plan or side.mistakes else f"not there ({side.where})"
