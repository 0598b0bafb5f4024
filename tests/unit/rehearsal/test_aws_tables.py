"""The tables agree with the SDK, and with each other."""

from __future__ import annotations

import pytest

from rehearsal.aws.types import TYPES
from rehearsal.kubernetes.kinds import CHART_GROUPS, CUSTOM, IMMUTABLE, REQUIRED
from rehearsal.schemas import load
from rehearsal.schemas.generate import FOLDER, render
from rehearsal.schemas.types import TYPES as SDK_TYPES

AWS = load("aws")


@pytest.mark.parametrize("package", sorted(SDK_TYPES))
def test_the_schema_files_say_what_the_installed_sdks_say(package: str):
    assert (FOLDER / f"{package}.json").read_text() == render(package)


def test_every_type_with_a_schema_has_a_table_entry_and_the_other_way_round():
    assert set(TYPES) == {token for token in AWS.tokens if not token.startswith("pulumi:")}


@pytest.mark.parametrize("token", sorted(TYPES))
def test_a_table_entry_names_only_properties_that_exist(token: str):
    kind, shape = TYPES[token], AWS.shape(token)
    inputs, outputs = set(shape.inputs), set(shape.outputs)
    tops = {path.split(".")[0] for path in (*kind.immutable, *kind.refers)}
    assert tops | set(kind.unique) | {name for name in (kind.named, kind.prefix) if name} <= inputs
    assert set(kind.outputs) | set(kind.handles) <= inputs | outputs
    assert bool(kind.arn) == ("arn" in outputs)


@pytest.mark.parametrize("token", sorted(TYPES))
def test_a_table_entry_refers_only_to_types_that_exist(token: str):
    assert {to.type for to in TYPES[token].refers.values()} <= set(TYPES)


@pytest.mark.parametrize("token", sorted(token for token, kind in TYPES.items() if kind.unique))
def test_what_exists_only_once_says_how_a_second_one_is_refused(token: str):
    assert TYPES[token].taken


def test_kinds_with_rules_are_kinds_that_are_known():
    known = {token.rsplit(":", 1)[-1] for token in load("kubernetes").tokens}
    assert set(IMMUTABLE) | set(REQUIRED) <= known
    assert {group for groups in CHART_GROUPS.values() for group in groups} <= set(CUSTOM)
