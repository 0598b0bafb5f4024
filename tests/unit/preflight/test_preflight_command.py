"""`python -m gpu_slices preflight`: exit codes, formats, missing credentials."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import boto3
import pytest
import yaml
from botocore.exceptions import ClientError, NoCredentialsError

from gpu_slices.checks.aws_account import AwsAccount
from gpu_slices.checks.preflight import preflight
from gpu_slices.cli.main import main
from tests.support.stacks import plan_of
from tests.unit.preflight.pretended_account import (
    G_ON_DEMAND,
    PLENTY,
    REGION,
    STACK,
    Quotas,
    clients,
    with_disk_key,
)


def denied(*_: Any, **__: Any) -> Any:
    raise ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": "no"}}, "DescribeInstances")


def test_what_this_identity_may_not_read_is_skipped_and_the_rest_still_judged():
    def with_denied(service: str) -> Any:
        made = clients(PLENTY)(service)
        if service == "eks":
            made.describe_cluster = denied
        return made

    found = preflight(AwsAccount(plan_of(STACK), with_denied), lambda *_: None)
    assert [(one.check.name, one.outcome) for one in found if one.outcome != "passed"] == [("names", "skipped")]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    real = boto3.Session.client

    def patched(self: Any, name: str, *more: Any, **named: Any) -> Any:
        if name == "service-quotas":
            return Quotas({**PLENTY, G_ON_DEMAND: 8})
        return with_disk_key(real(self, name, *more, **named))

    monkeypatch.setattr(boto3.Session, "client", patched)
    path = tmp_path / "Pulumi.test.yaml"
    own = {key if ":" in key else f"gpu-slices:{key}": value for key, value in {"aws:region": REGION, **STACK}.items()}
    path.write_text(yaml.safe_dump({"config": own}))
    return path


def test_a_failed_check_is_exit_code_1_with_cause_and_remedy(file: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["preflight", "--file", str(file)]) == 1
    shown = capsys.readouterr().out
    assert "cause   the quota does not hold the configured size" in shown
    assert "--quota-code L-DB2E81BA" in " ".join(shown.split())


def test_json_and_junit_carry_the_same_findings(file: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["preflight", "--file", str(file), "--format", "json"]) == 1
    content = json.loads(capsys.readouterr().out)
    assert content["failed"] is True
    assert content["account"] == "123456789012"
    failed = [one["cause"] for one in content["findings"] if one["outcome"] == "failed"]
    assert failed == ["quota-too-small"]
    assert main(["preflight", "--file", str(file), "--format", "junit"]) == 1
    suites = ElementTree.fromstring(capsys.readouterr().out)
    assert [case.get("type") for case in suites.iter("failure")] == ["quota-too-small"]


def test_without_credentials_it_says_so_in_one_line(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def none(*_: Any, **__: Any) -> Any:
        raise NoCredentialsError

    monkeypatch.setattr(AwsAccount, "identity", property(none))
    assert main(["preflight", "--file", str(file)]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "AWS: Unable to locate credentials\n")


def test_expired_credentials_are_one_line_too(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def expired(*_: Any, **__: Any) -> Any:
        error = {"Code": "ExpiredToken", "Message": "The security token included in the request is expired"}
        raise ClientError({"Error": error}, "GetCallerIdentity")

    monkeypatch.setattr(AwsAccount, "identity", property(expired))
    assert main(["preflight", "--file", str(file)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert "expired" in shown.err
