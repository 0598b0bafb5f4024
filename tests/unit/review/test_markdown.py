"""Markdown that GitHub shows as meant, whatever stands in it, and never longer than a comment may be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_slices.report.engine_markdown import engine_section
from gpu_slices.report.markdown import COMMENT_BYTES, code, fitting, text
from gpu_slices.report.review_markdown import comment, marker, reviews_markdown
from gpu_slices.review.engine_changes import EngineChanges, PropertyChange, ResourceChange
from gpu_slices.review.sides import side_of
from gpu_slices.review.stack_review import StackReview, review

HOSTILE = "a|b `c` <script>x</script> </details> @team\n```\n--> [x](y) *z* \\"


def reviewed(new: dict[str, Any], old: dict[str, Any] | None = None, stack: str = "s") -> StackReview:
    base: dict[str, Any] = {"aws:region": "us-west-2", "gpuNodeGroups": {"a": {"instanceType": "g6.xlarge"}}}
    return review(stack, side_of(stack, {**base, **(old or {})}, "x"), side_of(stack, {**base, **new}, "y"))


@given(st.text())
def test_plain_words_stay_one_line_and_carry_no_markup(words: str):
    for shown in (text(words), code(words)):
        assert "\n" not in shown
        assert "<script" not in shown
        assert "|" not in shown.replace("\\|", "")


def test_hostile_values_change_nothing_around_them():
    access = {"a": {"principalArn": "arn:aws:iam::123456789012:role/A", "groups": [HOSTILE]}}
    report = comment(reviewed({"cluster": {"access": access}, "tags": {"</details>": "y"}}))
    assert "2 edited keys" in report
    assert report.count("<details>") == report.count("</details>")
    assert "<script>" not in report
    assert "@team" not in report
    assert report.count("```") % 2 == 0


def test_the_first_line_finds_the_comment_again():
    assert comment(reviewed({"replicas": 2})).splitlines()[0] == marker("s") == "<!-- gpu-slices review of stack s -->"


def test_the_longest_text_that_fits_is_taken():
    def lines(rows: int | None) -> str:
        return "x" * (1000 if rows is None else rows)

    assert len(fitting(lines, limit=1000)) == 1000
    assert len(fitting(lines, limit=150)) == 100
    with pytest.raises(ValueError, match="does not fit"):
        fitting(lambda _: "long", limit=2)


def many_changes(count: int) -> EngineChanges:
    properties = tuple(PropertyChange(path=f"p{n}", lines=("- old " * 10, "+ new " * 10)) for n in range(5))
    changes = tuple(
        ResourceChange(
            kind="replaced", type="aws:eks/nodeGroup:NodeGroup", name=f"n{n}", properties=properties, because=("x",)
        )
        for n in range(count)
    )
    return EngineChanges(changes=changes, unchanged=3)


def test_a_thousand_changes_of_the_engine_are_cut_and_counted():
    report = comment(reviewed({"replicas": 2}), many_changes(1000))
    assert len(report.encode()) <= COMMENT_BYTES
    assert "**The engine's preview**: 1000 replaced, 3 unchanged" in report
    assert "… and 990 more" in report
    assert report.count("<details>") == report.count("</details>")
    assert report.count("```") % 2 == 0


def test_many_stacks_are_shown_as_far_as_they_fit():
    reviews = [reviewed({"replicas": 2, "tags": {"t": "x" * 250}}, stack=f"stack-{n:03}") for n in range(60)]
    report = reviews_markdown(reviews)
    assert len(report.encode()) <= COMMENT_BYTES
    shown = report.count("### Stack")
    assert f"… and {60 - shown} more stacks" in report


def test_what_is_replaced_or_deleted_is_named_in_the_open_and_comes_first():
    engine = EngineChanges(
        changes=(
            ResourceChange(kind="replaced", type="aws:eks/nodeGroup:NodeGroup", name="gpu", because=("instanceTypes",)),
            ResourceChange(kind="deleted", type="aws:ec2/eip:Eip", name="old"),
            ResourceChange(kind="created", type="aws:ec2/eip:Eip", name="new"),
        ),
        unchanged=10,
        errors=("gpu (aws:eks/nodeGroup:NodeGroup): refused <b>",),
    )
    section = engine_section(engine, None)
    opened = section.partition("<details>")[0]
    assert "**The engine's preview failed** after 1 replaced, 1 deleted, 1 created, 10 unchanged" in opened
    assert "**error** gpu (aws:eks/nodeGroup:NodeGroup): refused &lt;b&gt;" in opened
    assert "`gpu` (aws:eks/nodeGroup:NodeGroup) because of instanceTypes" in opened
    assert section.index("**replaced**") < section.index("**deleted**") < section.index("**created**")


def test_nothing_to_change_is_said():
    assert engine_section(EngineChanges(changes=(), unchanged=4), None) == "**The engine's preview**: nothing changes"
