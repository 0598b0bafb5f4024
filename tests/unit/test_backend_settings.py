"""What one may say of the state's bucket and of CI: mistakes, each with its sentence, and the lines that come of it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from backend.plan import Place, bucket_name_of, login_line, role_plans, stack_init_line
from backend.settings import GitHub, Settings, parse
from gpu_slices.settings import SettingsError
from tests.support.stacks import ROOT

PLACE = Place(partition="aws", account="123456789012", region="us-west-2")


def mistakes(**raw: Any) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        parse(raw)
    return [str(mistake) for mistake in refused.value.mistakes]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("ab", "bucketName: 'ab' is no bucket name: it has 2 characters; use 3 to 63"),
        ("a" * 64, f"bucketName: '{'a' * 64}' is no bucket name: it has 64 characters; use 3 to 63"),
        (
            "My_State",
            "bucketName: 'My_State' is no bucket name: it has other signs than lower-case letters, digits and dashes; "
            "use only these, and no dots",
        ),
        (
            "state-",
            "bucketName: 'state-' is no bucket name: it begins or ends with a dash; begin and end with a letter or digit",
        ),
        (
            "xn--state",
            "bucketName: 'xn--state' is no bucket name: AWS keeps names that begin or end so for itself; "
            "choose another beginning or end",
        ),
    ],
)
def test_a_name_that_s3_would_refuse_is_one_sentence(name: str, sentence: str):
    assert mistakes(bucketName=name) == [sentence]


def test_every_mistake_is_said_at_once():
    assert mistakes(
        bucketName="State",
        keepVersionDays=3,
        protect="maybe",
        github={"repository": "platform", "environments": ["*"]},
    ) == [
        "bucketName: 'State' is no bucket name: it has other signs than lower-case letters, digits and dashes; "
        "use only these, and no dots",
        "github.environments.0: '*' is no environment's name; name it as GitHub does, without *, ? or :",
        "github.repository: 'platform' is no repository of GitHub; write it as OWNER/NAME",
        'keepVersionDays: there is no such key; did you mean "keepVersionsDays"?',
        "protect: input should be a valid boolean; see backend/Pulumi.yaml",
    ]


def test_no_github_is_no_role():
    assert parse({"github": {}}).github is None
    assert mistakes(github={"environments": ["dev"]}) == ["github.repository: is missing; write it"]


def test_without_an_environment_nobody_may_change_anything():
    roles = role_plans(Settings(), GitHub(repository="org/repo"), PLACE)
    assert [role.name for role in roles] == ["preview"]


@given(account=st.from_regex(r"[0-9]{12}", fullmatch=True), region=st.sampled_from(["us-west-2", "ap-southeast-1"]))
def test_the_name_that_is_chosen_is_one_that_may_be_said(account: str, region: str):
    name = bucket_name_of(Settings(), Place(partition="aws", account=account, region=region))
    assert parse({"bucketName": name}).bucket_name == name


def test_the_lines_are_ready_to_be_typed():
    assert login_line("states", "us-west-2") == "pulumi login 's3://states?region=us-west-2'"
    assert (
        stack_init_line("us-west-2")
        == "pulumi stack init STACK --secrets-provider='awskms://alias/gpu-slices-state?region=us-west-2'"
    )


def test_the_project_file_says_what_the_settings_are():
    declared = yaml.safe_load((ROOT / "backend" / "Pulumi.yaml").read_text())["config"]
    assert set(declared) == {field.alias for field in Settings.model_fields.values()}
    assert parse({key: entry["default"] for key, entry in declared.items()}) == Settings()
