"""Property values: what goes over the wire comes back, and every difference can be found again."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.events import at, masked
from rehearsal.values import (
    OUTPUT,
    SIGNATURE,
    UNKNOWN,
    differences,
    from_struct,
    has_unknown,
    plain,
    secret,
    to_struct,
)

names = st.text(st.characters(codec="utf-8", exclude_characters="\\\x00"), min_size=1, max_size=6).filter(
    lambda name: not name.startswith("__")
)
scalars = st.one_of(st.booleans(), st.integers(-(2**53), 2**53), st.floats(-1e9, 1e9), st.text(max_size=5))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
    max_leaves=8,
)
trees = st.dictionaries(names, values, max_size=4)


@given(trees)
def test_a_struct_comes_back_as_it_was(tree: dict[str, Any]):
    assert from_struct(to_struct(tree)) == tree


@given(trees, trees)
def test_values_differ_exactly_where_they_are_not_equal(old: dict[str, Any], new: dict[str, Any]):
    found = list(differences(old, new))
    assert bool(found) == (old != new)
    for difference in found:
        assert at(old, difference.path) != at(new, difference.path)


@given(trees)
def test_nothing_differs_from_itself(tree: dict[str, Any]):
    assert list(differences(tree, tree)) == []


def test_an_addition_a_deletion_and_an_update_have_their_kinds():
    old = {"tags": {"a/b": "1", "c": "2"}, "taints": [{"key": "x"}]}
    new = {"tags": {"a/b": "2", "d": "3"}, "taints": []}
    assert {(d.path, d.kind) for d in differences(old, new)} == {
        ('tags["a/b"]', "update"),
        ("tags.c", "delete"),
        ("tags.d", "add"),
        ("taints[0]", "delete"),
    }


def test_wrappers_open_and_secrets_are_masked_for_people():
    unknown = {SIGNATURE: OUTPUT, "dependencies": []}
    assert plain({"a": secret(["x"]), "b": unknown}) == {"a": ["x"], "b": UNKNOWN}
    assert has_unknown(plain([{"b": unknown}]))
    assert masked({"a": secret("x"), "b": [UNKNOWN, 1]}) == {"a": "[secret]", "b": ["[known after up]", 1]}
