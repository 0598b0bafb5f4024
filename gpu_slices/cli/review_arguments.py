"""What `diff` and `preview` share: edits on the command line, when to fail, and how a review is written."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence

from ..report.review_json import review_json, reviews_json
from ..report.review_markdown import comment, reviews_markdown
from ..report.review_text import reviews_text
from ..review.engine_changes import EngineChanges
from ..review.sides import Edits
from ..review.stack_review import StackReview
from .command import CHECK_FAILED, FINE, WRONG_INPUT, add_output_arguments, write


def add_review_arguments(parser: argparse.ArgumentParser, also: Sequence[str] = ()) -> None:
    """`--set`, `--unset`, `--fail-on` (risk, cost and `also`), `--format`, `--out`."""
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="an edit, as `pulumi config set --path` makes it",
    )
    parser.add_argument("--unset", metavar="KEY", action="append", default=[], help="remove a key")
    parser.add_argument(
        "--fail-on",
        metavar="|".join(["risk", "cost=N%", *also]),
        type=lambda text: text if text in also else _fail_on(text),
        action="append",
        default=[],
        help="exit 1 when there is a risk, or when the stack becomes more than N percent dearer; may be repeated",
    )
    add_output_arguments(parser, ("text", "markdown", "json"))


def edits_of(arguments: argparse.Namespace) -> Edits:
    """The edits given on the command line."""
    return Edits(sets=tuple(arguments.set), unsets=tuple(arguments.unset))


def write_reviews(
    reviews: Sequence[StackReview], arguments: argparse.Namespace, engine: EngineChanges | None = None, remark: str = ""
) -> None:
    """In the format asked for. With an engine's changes there is one review."""
    match arguments.format:
        case "json" if engine is not None:
            text = json.dumps(review_json(reviews[0], engine), indent=2, ensure_ascii=False) + "\n"
        case "json":
            text = json.dumps(reviews_json(reviews), indent=2, ensure_ascii=False) + "\n"
        case "markdown" if engine is not None or remark:
            text = comment(reviews[0], engine, remark)
        case "markdown":
            text = reviews_markdown(reviews)
        case _:
            text = reviews_text(reviews, plain=arguments.out is not None, engine=engine)
            text += f"{remark}\n" if remark else ""
    write(text, arguments.out)


def exit_code(reviews: Sequence[StackReview], fail_on: Sequence[str | float]) -> int:
    """2 where a side has mistakes, 1 where something must not be applied or `--fail-on` says so."""
    if not all(review.valid for review in reviews):
        return WRONG_INPUT
    reasons = [reason for review in reviews for reason in _reasons(review, fail_on)]
    for reason in reasons:
        print(reason, file=sys.stderr)
    return CHECK_FAILED if reasons else FINE


def _reasons(review: StackReview, fail_on: Sequence[str | float]) -> list[str]:
    reasons = [
        f"stack {review.stack}: must not be applied: {risk.path}: {risk.message}"
        for risk in review.risks
        if risk.level == "stop"
    ]
    risks = [risk for risk in review.risks if risk.level == "risk"]
    if "risk" in fail_on and risks:
        reasons.append(
            f"stack {review.stack}: {len(risks)} at risk: {', '.join(sorted({risk.path for risk in risks}))}"
        )
    for most in (limit for limit in fail_on if isinstance(limit, float)):
        growth = review.cost_growth()
        if growth is None and review.old_cost and review.new_cost:
            unknown = sorted({*review.old_cost.unknown, *review.new_cost.unknown})
            reasons.append(
                f"stack {review.stack}: nobody knows whether it becomes dearer: no price of {', '.join(unknown)}"
            )
        elif growth is not None and growth > most:
            reasons.append(f"stack {review.stack}: {growth:.0f} % dearer, more than {most:g} %")
    return reasons


def _fail_on(text: str) -> str | float:
    if text == "risk":
        return text
    if match := re.fullmatch(r"cost=(\d+(?:\.\d+)?)%?", text):
        return float(match[1])
    raise argparse.ArgumentTypeError(f"{text!r} is neither risk nor cost=N%")
