"""The roles of CI: everything that the program needs, as narrow as IAM allows."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from gpu_slices.iam.deploy import (
    OWN_PREFIX,
    DeployScope,
    changing_actions,
    deploy_policies,
    preview_policies,
    reading_actions,
    size,
)
from gpu_slices.iam.deploy_actions import ACTIONS
from gpu_slices.iam.github import changing_subjects, github_trust, reading_subjects
from gpu_slices.iam.karpenter import POLICY_SIZE_LIMIT
from gpu_slices.iam.state import bucket_policy, state_access, state_key_policy
from tests.support.policy_lint import findings, idle_resources, listed, statements

SCOPE = DeployScope(partition="aws", account="123456789012", regions=("ap-southeast-1", "us-east-1", "us-west-2"))
BUCKET, KEY = "arn:aws:s3:::states", "arn:aws:kms:us-west-2:123456789012:key/1"
#: How many managed policies IAM attaches to a role.
ATTACHABLE = 10

POLICIES = {
    **{f"preview {number}": one for number, one in enumerate(preview_policies(SCOPE))},
    **{f"deploy {number}": one for number, one in enumerate(deploy_policies(SCOPE))},
    "state, reading": state_access(bucket_arn=BUCKET, key_arn=KEY, changes=False),
    "state, changing": state_access(bucket_arn=BUCKET, key_arn=KEY, changes=True),
}


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_policies_are_clean_and_small(name: str):
    assert findings(POLICIES[name]) == []
    assert idle_resources(POLICIES[name]) == []
    assert size(POLICIES[name]) <= POLICY_SIZE_LIMIT


def test_a_role_can_carry_them():
    assert len(deploy_policies(SCOPE)) < ATTACHABLE
    assert len(preview_policies(SCOPE)) < ATTACHABLE


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_everything_is_bounded_by_a_region_or_a_name(name: str):
    for statement in statements(POLICIES[name]):
        if any(resource == "*" or ":*:" in resource for resource in listed(statement["Resource"])):
            assert "aws:RequestedRegion" in statement["Condition"]["StringEquals"], statement["Sid"]


def test_the_role_for_previews_only_reads():
    reading = ("Describe", "Get", "List", "View", "Decrypt")
    for name in (name for name in POLICIES if name.startswith(("preview", "state, reading"))):
        for statement in statements(POLICIES[name]):
            for action in listed(statement["Action"]):
                assert action.partition(":")[2].startswith(reading), action


def test_both_roles_may_do_what_the_table_says_and_the_role_for_updates_passes_roles():
    allowed = {
        name: {action for one in documents for statement in statements(one) for action in listed(statement["Action"])}
        for name, documents in (("preview", preview_policies(SCOPE)), ("deploy", deploy_policies(SCOPE)))
    }
    assert allowed["preview"] == set(reading_actions())
    assert allowed["deploy"] == {*changing_actions(), "iam:PassRole"}


def test_roles_are_passed_only_to_the_services_that_need_them():
    (statement,) = [s for one in deploy_policies(SCOPE) for s in statements(one) if "iam:PassRole" in s["Action"]]
    assert statement["Resource"] == [f"arn:aws:iam::123456789012:role/{OWN_PREFIX}*"]
    services = {service for needs in ACTIONS.values() for service in needs.services}
    assert set(statement["Condition"]["StringEquals"]["iam:PassedToService"]) == services


def test_nobody_attaches_administrators_or_touches_the_roles_of_ci():
    for statement in (s for one in deploy_policies(SCOPE) for s in statements(one)):
        actions = listed(statement["Action"])
        if "iam:AttachRolePolicy" in actions:
            allowed = statement["Condition"]["ArnLike"]["iam:PolicyARN"]
            assert not any(fnmatchcase("arn:aws:iam::aws:policy/AdministratorAccess", one) for one in allowed)
        if any(action.startswith("iam:") for action in actions):
            assert not any(fnmatchcase("arn:aws:iam::123456789012:role/ci-deploy-1", r) for r in statement["Resource"])


def test_tokens_of_forks_and_of_other_repositories_take_no_role():
    def takes(subjects: tuple[str, ...], subject: str) -> bool:
        return any(fnmatchcase(subject, pattern) for pattern in subjects)

    reads, changes = reading_subjects("org/repo"), changing_subjects("org/repo", ["dev", "prod"])
    assert takes(reads, "repo:org/repo:pull_request")
    assert takes(reads, "repo:org/repo:ref:refs/heads/main")
    assert takes(changes, "repo:org/repo:environment:prod")
    for foreign in ("repo:org/other:pull_request", "repo:org/repo-2:environment:dev", "repo:else/repo:environment:dev"):
        assert not takes((*reads, *changes), foreign)
    for less in ("repo:org/repo:pull_request", "repo:org/repo:ref:refs/heads/main", "repo:org/repo:environment:lab"):
        assert not takes(changes, less)


def test_a_token_must_be_meant_for_aws():
    (statement,) = statements(github_trust("arn:aws:iam::123456789012:oidc-provider/x", ["repo:org/repo:pull_request"]))
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert statement["Condition"]["StringEquals"] == {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}


def test_the_buckets_policy_only_forbids():
    assert findings(bucket_policy(BUCKET)) == []
    assert {statement["Effect"] for statement in statements(bucket_policy(BUCKET))} == {"Deny"}
    (statement,) = statements(state_key_policy(partition="aws", account="123456789012"))
    assert statement["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}
