"""The program for state and CI identity: what it declares, under the recording monitor."""

from __future__ import annotations

import json
from functools import cache

import pytest

from backend.settings import parse
from gpu_slices.iam.karpenter import POLICY_SIZE_LIMIT
from policy.rules import RULES
from policy.rules.rule import Resource, ResourceRule, Scope, defaults
from rehearsal.project import ROOT, project_name, project_program, stack_config, with_setting
from rehearsal.recorder import Recording, record
from tests.support.policy_lint import findings

FOLDER = ROOT / "backend"
ROLE = "aws:iam/role:Role"


@cache
def recorded(*edits: tuple[str, object]) -> Recording:
    config = stack_config("main", FOLDER)
    for path, value in edits:
        config = with_setting(config, path, value, project_name(FOLDER))
    return record(project_program(FOLDER), stack="main", config=config, project=project_name(FOLDER))


def only(type_: str, of: Recording | None = None):
    (found,) = (of or recorded()).of(type_)
    return found


def test_the_bucket_keeps_versions_encrypted_and_private():
    bucket = only("aws:s3/bucket:Bucket")
    assert bucket.protect
    parts = [one for one in recorded().resources if one.type.startswith("aws:s3/") and one is not bucket]
    assert {one.inputs["bucket"] for one in parts} == {bucket.inputs["bucket"]}
    assert only("aws:s3/bucketVersioning:BucketVersioning").inputs["versioningConfiguration"] == {"status": "Enabled"}
    (rule,) = only("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration").inputs[
        "rules"
    ]
    assert rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"] == "aws:kms"
    assert rule["applyServerSideEncryptionByDefault"]["kmsMasterKeyId"].startswith("arn:aws:kms:")
    block = only("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock").inputs
    assert all(value is True for name, value in block.items() if name != "bucket")
    assert len(block) == 5
    (expiry,) = only("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration").inputs["rules"]
    assert expiry["noncurrentVersionExpiration"] == {"noncurrentDays": 90}
    assert "expiration" not in expiry, "the current state never expires"


def test_the_key_turns_and_is_protected():
    key = only("aws:kms/key:Key")
    assert key.inputs["enableKeyRotation"] is True
    assert key.protect
    assert recorded(("protect", False)).of("aws:kms/key:Key")[0].protect is False


def test_the_workflows_roles_are_the_variables_that_the_workflows_read():
    variables = set(recorded().outputs["githubVariables"])
    workflows = "".join(path.read_text() for path in (ROOT / ".github" / "workflows").glob("*.yml"))
    assert variables == {"AWS_DEPLOY_ROLE", "AWS_PREVIEW_ROLE", "AWS_REGION", "PULUMI_BACKEND_URL"}
    assert all(f"vars.{name} " in workflows for name in variables)


def test_each_role_is_taken_by_its_own_jobs_for_as_long_as_they_ask():
    up = (ROOT / ".github" / "workflows" / "up.yml").read_text()
    preview, deploy = only_role("preview"), only_role("deploy")
    assert f"role-duration-seconds: {deploy.inputs['maxSessionDuration']}" in up
    assert ":environment:dev" in deploy.inputs["assumeRolePolicy"]
    assert ":environment:" not in preview.inputs["assumeRolePolicy"]


def only_role(name: str):
    (found,) = recorded().of(ROLE, f"ci-{name}")
    return found


def test_policies_fit_and_are_clean():
    policies = recorded().of("aws:iam/policy:Policy")
    assert policies
    for one in policies:
        text = one.inputs["policy"]
        assert sum(not sign.isspace() for sign in text) <= POLICY_SIZE_LIMIT
        assert findings(json.loads(text)) == []


def test_without_github_there_is_state_and_nothing_else():
    alone = recorded(("github", None))
    assert alone.of(ROLE) == ()
    assert set(alone.outputs["githubVariables"]) == {"AWS_REGION", "PULUMI_BACKEND_URL"}


@pytest.mark.parametrize("rule", [rule for rule in RULES if isinstance(rule, ResourceRule)], ids=lambda rule: rule.name)
def test_it_breaks_no_policy(rule: ResourceRule):
    scope = Scope(environment="production", config=defaults(rule))
    for one in recorded().resources:
        resource = Resource(urn=one.urn, type=one.type, name=one.name, inputs=one.inputs)
        assert list(rule.check(resource, scope)) == []


def test_every_setting_changes_something():
    base = recorded()
    edits = {
        "bucketName": "another-name",
        "keepVersionsDays": 7,
        "protect": False,
        "github.repository": "org/other",
        "github.environments": ("prod",),
        "regions": ("eu-west-1",),
    }
    assert {path.partition(".")[0] for path in edits} == {f.alias for f in type(parse({})).model_fields.values()}
    for path, value in edits.items():
        assert recorded((path, value)).resources != base.resources, path
