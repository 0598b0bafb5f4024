"""The policy pack under the real engine: what it forbids is not made, and what ships passes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine import EngineError
from gpu_slices.naming import REGULATED_LABEL
from rehearsal.project import ROOT, stack_config
from rehearsal.stage import stage
from tests.support.small_program import CONFIG, small_program, write_project
from tests.support.stacks import STACKS

PACK = ROOT / "policy"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"

pytestmark = [pytest.mark.engine, pytest.mark.full]


@pytest.mark.parametrize("stack", STACKS)
def test_a_shipped_stack_passes(stack: str):
    with stage(stack, policy_pack=PACK) as played:
        assert played.preview().violations == ()


def test_a_shipped_stack_comes_up_and_settles_under_the_pack():
    with stage("karpenter", policy_pack=PACK) as played:
        assert played.up().violations == ()
        settled = played.preview()
        assert (settled.changes, settled.violations) == ((), ())
        played.destroy()
        assert played.left() == ()


def test_what_a_rule_forbids_is_said_in_a_preview_and_not_made_by_an_up(tmp_path: Path):
    with stage(
        "test",
        project_folder=write_project(tmp_path / "small"),
        program=small_program,
        config=CONFIG,
        policy_pack=PACK,
    ) as played:
        for operate in (played.preview, played.up):
            with pytest.raises(EngineError) as refused:
                operate()
            assert "gpu (aws:ec2/launchTemplate:LaunchTemplate): policy encrypted-at-rest: " in str(refused.value)
            assert "gpu says nothing of its disks, which are then not encrypted" in str(refused.value)
            assert "Traceback" not in str(refused.value)
        assert played.account.all(TEMPLATE) == ()


def test_production_is_told_by_the_stacks_name_and_asks_for_more(tmp_path: Path):
    """Ten slices and an open API endpoint are fine in stack dev, and not under the name prod."""
    config = stack_config("dev")
    with stage("prod", config=config, policy_pack=PACK) as played, pytest.raises(EngineError) as refused:
        played.preview()
    assert "pool l40s has 10 slices per GPU, environment production allows 8" in str(refused.value)
    assert "answers everybody (0.0.0.0/0) in environment production" in str(refused.value)

    allowed = tmp_path / "policy.json"
    allowed.write_text(
        json.dumps(
            {
                "maximum-replicas": {"maxReplicas": {"production": 10}},
                "api-endpoint-closed": {"enforcementLevel": "advisory"},
            }
        )
    )
    with stage("prod", config=config, policy_pack=PACK, policy_config=allowed) as played:
        (violation,) = played.preview().violations
    assert (violation.policy, violation.mandatory) == ("api-endpoint-closed", False)


def test_a_stacks_tag_says_its_environment_whatever_its_name():
    with stage("dev", policy_pack=PACK) as played:
        played.tag("environment", "production")
        with pytest.raises(EngineError, match="environment production allows 8"):
            played.preview()


def test_a_rule_over_all_resources_stops_the_first_preview_of_a_cluster():
    """Outputs of what is in a cluster are not known before the cluster is: such rules read what is declared."""
    with stage("dev", policy_pack=PACK) as played:
        played.edit("gpuNodeGroups.l40s.labels", {REGULATED_LABEL: "true"})
        with pytest.raises(EngineError) as refused:
            played.preview()
    assert "pool l40s is regulated, but its GPUs are shared by time-slicing among 10" in str(refused.value)


def test_a_configuration_of_the_wrong_kind_is_one_sentence(tmp_path: Path):
    wrong = tmp_path / "policy.json"
    wrong.write_text(json.dumps({"maximum-replicas": {"maxReplicas": {"default": "few"}}}))
    with stage("dev", policy_pack=PACK, policy_config=wrong) as played, pytest.raises(EngineError) as refused:
        played.preview()
    assert "maxReplicas.default: Invalid type. Expected: integer, given: string" in str(refused.value)
