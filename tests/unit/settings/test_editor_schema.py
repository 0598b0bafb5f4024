"""The schema that editors read: generated, as strict as it can be, never stricter than the settings."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_slices.report.config_page import config_page
from gpu_slices.settings.editor_schema import editor_schema
from gpu_slices.settings.project_file import declared_keys
from tests.support.stacks import ROOT, STACK_FILES, karpenter_settings, raw_settings

VALIDATOR = jsonschema.Draft202012Validator(editor_schema())


def told(raw: dict[str, Any]) -> list[str]:
    config = {key if ":" in key else f"gpu-slices:{key}": value for key, value in raw.items()}
    return [error.message for error in VALIDATOR.iter_errors({"config": {"aws:region": "us-west-2", **config}})]


def test_the_committed_schema_and_page_are_generated_from_the_settings():
    assert json.loads((ROOT / "stack-config.schema.json").read_text()) == editor_schema(), "run make schema"
    assert (ROOT / "docs" / "config.md").read_text() == config_page(), "run make schema"


def test_the_page_has_a_section_for_every_key():
    for key in declared_keys():
        assert f"\n## {key}\n" in config_page()


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(editor_schema())


@pytest.mark.parametrize("path", STACK_FILES, ids=lambda path: path.name)
def test_every_stack_file_names_the_schema_and_keeps_to_it(path: Any):
    text = path.read_text()
    assert text.startswith("# yaml-language-server: $schema=./stack-config.schema.json\n")
    assert [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(text))] == []


@settings(max_examples=50, deadline=None)
@given(st.one_of(raw_settings, karpenter_settings))
def test_what_the_settings_accept_the_schema_accepts(raw: dict[str, Any]):
    assert told(json.loads(json.dumps(raw))) == []


@pytest.mark.parametrize(
    "raw",
    [
        {"replcas": 4},
        {"replicas": "four"},
        {"replicas": 4.5},
        {"gpuStack": "operator"},
        {"gpuNodeGroups": {"a": {}}},
        {"gpuNodeGroups": {"a": {"instanceType": "g6.xlarge", "slices": 4}}},
        {"network": {"nat": "none"}},
        {"prices": {"commitment": {"years": 1}}},
    ],
)
def test_what_an_editor_can_see_it_marks(raw: dict[str, Any]):
    assert told(raw)


def test_a_count_may_be_text_and_other_namespaces_are_not_ours():
    assert told({"replicas": "4", "kubernetes:context": "x", "aws:profile": "y"}) == []
    assert VALIDATOR.is_valid({"config": {"aws:region": "us-west-2", "replicas": 4}, "encryptionsalt": "v1:x"})
