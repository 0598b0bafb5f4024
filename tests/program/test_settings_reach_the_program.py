"""Settings with mistakes stop the program before it declares anything, with words for the person who wrote them."""

from __future__ import annotations

import pulumi
import pytest

from rehearsal.existing import existing_world
from rehearsal.project import ROOT, project_program, stack_config, with_setting
from rehearsal.recorder import Recording, record
from tests.support.recordings import recording
from tests.support.stacks import STACKS


def deploy(stack: str, **edits):
    config = stack_config(stack)
    for path, value in edits.items():
        config = with_setting(config, path, value, "gpu-slices")
    existing = existing_world(ROOT / f"Pulumi.{stack}.yaml")
    return record(project_program(), stack=stack, config=config, existing=existing)


def inputs(recorded: Recording):
    return {one.urn: one.inputs for one in recorded.resources}


def test_every_mistake_is_named_on_a_line_of_its_own():
    with pytest.raises(pulumi.RunError) as raised:
        deploy("dev", replicas=0, gpuNodeGroups={"l40s": {"instanceType": "g6e.2xlarg"}}, clutser={"name": "x"})
    first, *lines = str(raised.value).splitlines()
    assert first == "the settings of stack dev have mistakes:"
    assert [line.split(":")[0] for line in lines] == ["clutser", "gpuNodeGroups.l40s.instanceType", "replicas"]
    assert all(";" in line for line in lines), "each says what to write"


def test_a_misspelt_key_is_refused_although_the_engine_would_let_it_pass():
    with pytest.raises(pulumi.RunError, match='gpuNodegroups: there is no such key; did you mean "gpuNodeGroups"'):
        deploy("dev", gpuNodegroups={})


@pytest.mark.full
@pytest.mark.parametrize("stack", STACKS)
def test_a_number_as_text_is_the_number(stack):
    """`pulumi config set replicas 4` stores the text."""
    assert inputs(deploy(stack, replicas="4")) == inputs(deploy(stack, replicas=4))


@pytest.mark.parametrize("stack", STACKS)
def test_the_same_settings_declare_the_same_resources_every_time(stack):
    assert inputs(deploy(stack)) == inputs(recording(stack))


def test_without_a_region_the_program_says_so():
    with pytest.raises(pulumi.RunError, match="aws:region: is missing"):
        deploy("dev", **{"aws:region": None})
