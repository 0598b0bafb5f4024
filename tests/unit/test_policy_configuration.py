"""The policy pack as a thing to configure: environments, defaults, what its page says."""

from __future__ import annotations

import json

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gpu_slices.cli.main import main
from policy.rules import RULES
from policy.rules.environments import DEFAULT, TAG, environment_of, for_environment
from policy.rules.plugin_configs import CONFIG_MAP, shared_pools
from policy.rules.rule import ENVIRONMENTS, Resource, defaults
from tests.support.stacks import ROOT

PATTERNS = ENVIRONMENTS["environments"]["default"]


@pytest.mark.parametrize(
    ("stack", "environment"),
    [
        ("prod", "production"),
        ("prod-eu", "production"),
        ("production", "production"),
        ("dev", DEFAULT),
        ("product", DEFAULT),
    ],
)
def test_a_stack_belongs_to_the_environment_whose_pattern_fits_its_name(stack: str, environment: str):
    assert environment_of(stack, {}, PATTERNS) == environment


@given(stack=st.text(max_size=20), environment=st.text(min_size=1, max_size=20))
def test_the_stacks_tag_wins_over_its_name(stack: str, environment: str):
    assert environment_of(stack, {TAG: environment}, PATTERNS) == environment


def test_an_environment_without_a_value_of_its_own_has_that_of_default():
    assert for_environment({"production": 4, "default": 16}, "production") == 4
    assert for_environment({"production": 4, "default": 16}, "lab") == 16
    assert for_environment({"production": 4}, "lab") is None


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rules_defaults_are_what_its_schema_allows(rule):
    for name, value in defaults(rule).items():
        jsonschema.validate(value, rule.config[name])
        assert rule.config[name]["description"].endswith(".")


@pytest.mark.parametrize(
    ("arguments", "sentences"),
    [
        (["--policy-pack", "docs"], ["--policy-pack docs: has no PulumiPolicy.yaml; name its folder"]),
        (
            ["--policy-pack-config", "missing.json"],
            [
                "--policy-pack: is missing; name the pack to configure",
                "--policy-pack-config missing.json: is no file; name a JSON file",
            ],
        ),
    ],
)
def test_a_pack_that_is_not_there_is_said_before_anything_runs(
    arguments: list[str], sentences: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(ROOT)
    assert main(["preview", "--stack", "dev", *arguments]) == 2
    assert [line for line in capsys.readouterr().err.splitlines() if line.startswith("--")] == sentences


def test_names_are_told_apart():
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_the_example_configuration_says_what_holds_where_nobody_configures_anything():
    example = json.loads((ROOT / "policy" / "config.example.json").read_text())
    assert {name: {k: v for k, v in one.items() if k != "enforcementLevel"} for name, one in example.items()} == {
        rule.name: defaults(rule) for rule in RULES
    }
    assert {one["enforcementLevel"] for one in example.values()} == {"mandatory"}


def test_the_page_names_every_rule():
    page = (ROOT / "docs" / "policy.md").read_text()
    assert [rule.name for rule in RULES if f"`{rule.name}`" not in page] == []


def test_the_pack_runs_on_the_sdk_of_the_program():
    """Two Pulumi SDKs in one repository would be two facts."""
    pins = [(ROOT / folder / "requirements.txt").read_text().splitlines() for folder in (".", "policy")]
    program, pack = ({line for line in lines if "==" in line} for lines in pins)
    assert {pin for pin in pack if not pin.startswith("pulumi-policy==")} <= program
    assert yaml.safe_load((ROOT / "policy" / "PulumiPolicy.yaml").read_text())["runtime"]["options"] == {
        "toolchain": "pip",
        "virtualenv": ".venv",
    }


@given(data=st.dictionaries(st.text(max_size=8), st.one_of(st.text(max_size=40), st.just("version: v1"))))
def test_config_maps_with_anything_else_in_them_share_nothing(data: dict[str, str]):
    assert shared_pools(Resource(urn="urn", type=CONFIG_MAP, name="other", inputs={"data": data})) == ()
