"""What the stacks declare is what the role of CI may make."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from gpu_slices.iam.deploy import ATTACHED_POLICIES, OWN_PREFIX
from gpu_slices.iam.deploy_actions import ACTIONS, LOOKUPS
from rehearsal.aws.invokes import INVOKES
from rehearsal.schemas import load
from tests.support.recordings import recording
from tests.support.stacks import STACKS

#: Made by backend/ alone, with the rights of whoever runs that once.
OF_BACKEND = ("aws:s3/", "aws:iam/openIdConnectProvider:")
#: Identities by type: their name's input.
NAMED = {"aws:iam/role:Role", "aws:iam/policy:Policy", "aws:iam/instanceProfile:InstanceProfile"}


@pytest.mark.parametrize("stack", STACKS)
def test_every_aws_type_that_a_stack_declares_has_its_actions(stack: str):
    declared = {one.type for one in recording(stack).resources if one.type.startswith("aws:")}
    missing = sorted(declared - set(ACTIONS))
    assert missing == [], f"say in gpu_slices/iam/deploy_actions.py which actions {missing} need"


def test_so_has_every_type_that_any_setting_may_bring():
    known = {token for token in load("aws").tokens if not token.startswith(("pulumi:", *OF_BACKEND))}
    missing = sorted(known - set(ACTIONS))
    assert missing == [], f"say in gpu_slices/iam/deploy_actions.py which actions {missing} need"


def test_so_has_every_question_that_the_program_may_ask():
    missing = sorted(set(INVOKES) - set(LOOKUPS))
    assert missing == [], f"say in gpu_slices/iam/deploy_actions.py which actions {missing} need"


@pytest.mark.parametrize("stack", STACKS)
def test_identities_have_names_that_the_role_may_give(stack: str):
    for one in recording(stack).resources:
        if one.type in NAMED:
            assert (one.inputs.get("name") or one.inputs.get("namePrefix") or one.name).startswith(OWN_PREFIX), one.name


@pytest.mark.parametrize("stack", STACKS)
def test_aws_policies_that_are_attached_are_among_those_that_may_be(stack: str):
    attached = {
        one.inputs["policyArn"] for one in recording(stack).of("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    }
    by_aws = {arn for arn in attached if arn.startswith("arn:aws:iam::aws:policy/")}
    assert {arn.removeprefix("arn:aws:iam::aws:policy/") for arn in by_aws} <= set(ATTACHED_POLICIES)
    own = attached - by_aws
    assert all(fnmatchcase(arn, f"arn:aws:iam::*:policy/{OWN_PREFIX}*") for arn in own)
