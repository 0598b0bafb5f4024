"""State and CI identity on the real engine, over stand-ins: up, settled, protected, gone."""

from __future__ import annotations

import pytest

from engine import EngineError
from rehearsal.account import Item
from rehearsal.project import ROOT
from rehearsal.stage import EXISTING, stage

FOLDER = ROOT / "backend"
BUCKET = "aws:s3/bucket:Bucket"
PROVIDER = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"

ADOPTED = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"

pytestmark = [pytest.mark.engine, pytest.mark.full]


def test_it_comes_up_settles_resists_a_destroy_and_goes_when_that_is_meant():
    with stage("main", project_folder=FOLDER) as played:
        previewed = played.preview()
        up = played.up()
        assert (set(up.summary), up.summary) == ({"create"}, previewed.summary)
        assert played.preview().changes == ()
        name = "gpu-slices-state-123456789012-us-west-2"
        assert up.outputs["login"] == f"pulumi login 's3://{name}?region=us-west-2'"
        assert up.outputs["githubVariables"]["AWS_DEPLOY_ROLE"].startswith("arn:aws:iam::123456789012:role/ci-deploy-")

        with pytest.raises(EngineError, match="protect"):
            played.destroy()
        assert [item.id for item in played.account.all(BUCKET)] == [name]

        played.edit("protect", False)
        played.up()
        played.destroy()
        assert played.left() == ()
        assert len(played.account.all(PROVIDER)) == 1, "other repositories may use the provider of tokens"
        assert PROVIDER not in {change.type for change in played.up().changes if change.op == "create"}


def test_a_provider_of_tokens_that_the_account_has_is_adopted_as_it_is():
    data = {"url": "https://token.actions.githubusercontent.com", "clientIdLists": ["another"], "arn": ADOPTED}
    there = Item(type=PROVIDER, id=ADOPTED, urn=EXISTING, data=data)
    with stage("main", project_folder=FOLDER, existing=[there]) as played:
        up = played.up()
        assert any("is not meant for sts.amazonaws.com" in warning.message for warning in up.warnings)
        assert [item.data for item in played.account.all(PROVIDER)] == [data]
        assert played.preview().changes == ()
        (role,) = up.of("aws:iam/role:Role", "ci-deploy")
        assert ADOPTED in role.inputs["assumeRolePolicy"]
        played.edit("protect", False)
        played.up()
        played.destroy()
        assert [item.data for item in played.account.all(PROVIDER)] == [data]


def test_a_bucket_name_that_is_taken_is_one_clear_line():
    taken = Item(type=BUCKET, id="states", urn=EXISTING, data={"bucket": "states"})
    with stage("main", project_folder=FOLDER, existing=[taken]) as played:
        played.edit("bucketName", "states")
        with pytest.raises(EngineError) as refused:
            played.up()
    (line,) = [line for line in str(refused.value).splitlines() if "states" in line]
    assert line == (
        "up of stack main failed: state-bucket (aws:s3/bucket:Bucket): BucketAlreadyExists: The requested bucket name "
        "states is not available. The bucket namespace is shared by all users of the system. Please select a different "
        "name and try again."
    )


def test_mistakes_in_the_settings_are_sentences_before_anything_is_made():
    with stage("main", project_folder=FOLDER) as played:
        played.edit("bucketName", "My.State")
        played.edit("github.repository", "platform")
        with pytest.raises(EngineError) as refused:
            played.preview()
        assert "bucketName: 'My.State' is no bucket name: it has other signs" in str(refused.value)
        assert "github.repository: 'platform' is no repository of GitHub; write it as OWNER/NAME" in str(refused.value)
        assert "Traceback" not in str(refused.value)
        assert played.account.all() == ()
