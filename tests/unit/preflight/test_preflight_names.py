"""Names that are taken, roles and keys that are missing, and the `aws` program."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import Any

import pytest

from gpu_slices.checks.aws_account import AwsAccount
from tests.support.stacks import plan_of
from tests.unit.preflight.pretended_account import (
    PLENTY,
    POOL,
    REGION,
    STACK,
    client,
    clients,
    findings,
    judged,
    troubles,
    with_disk_key,
)


def a_cluster(tags: Mapping[str, str]) -> None:
    role = client("iam").create_role(RoleName="control", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    client("eks").create_cluster(name="demo", roleArn=role, resourcesVpcConfig={"subnetIds": []}, tags=dict(tags))


def test_a_cluster_of_somebody_elses_has_taken_the_name():
    a_cluster({"team": "other"})
    assert troubles(STACK, "names") == [("cluster demo", "failed", "cluster-taken")]


def test_a_cluster_of_this_stack_is_no_clash():
    a_cluster({"gpu-slices:stack": "test", "gpu-slices:cluster": "demo"})
    assert troubles(STACK, "names") == []


def test_a_log_group_left_over_has_taken_the_name_and_one_that_only_begins_alike_has_not():
    client("logs").create_log_group(logGroupName="/aws/eks/demo/cluster-2")
    assert troubles(STACK, "names") == []
    client("logs").create_log_group(logGroupName="/aws/eks/demo/cluster")
    ((subject, _, cause),) = troubles(STACK, "names")
    assert (subject, cause) == ("log group /aws/eks/demo/cluster", "log-group-taken")


def test_the_spot_role_matters_only_to_stacks_with_spot():
    assert findings(STACK, "spot-role") == []
    spot = {"gpuNodeGroups": {"a": {**POOL, "capacity": "spot"}}}
    assert troubles(spot, "spot-role") == [("AWSServiceRoleForEC2Spot", "warned", "spot-role-missing")]
    client("iam").create_role(RoleName="AWSServiceRoleForEC2Spot", AssumeRolePolicyDocument="{}")
    assert troubles(spot, "spot-role") == []


def with_key(arn: str) -> dict[str, Any]:
    return {**STACK, "cluster": {"name": "demo", "encryption": {"kmsKeyArn": arn}}}


def test_a_key_for_secrets_must_be_there_enabled_and_in_the_region():
    key = client("kms").create_key(KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["Arn"]
    assert troubles(with_key(key), "secrets-key") == []
    client("kms").disable_key(KeyId=key.rpartition("/")[2])
    assert troubles(with_key(key), "secrets-key") == [(key, "failed", "key-unusable")]
    gone = key[:-4] + "0000"
    assert troubles(with_key(gone), "secrets-key") == [(gone, "failed", "key-not-found")]
    elsewhere = key.replace(REGION, "eu-west-1")
    assert troubles(with_key(elsewhere), "secrets-key") == [(elsewhere, "failed", "key-unusable")]


def test_without_the_aws_program_the_cluster_is_out_of_reach(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert troubles(STACK, "aws-cli") == [("aws", "failed", "aws-cli-missing")]


def test_disks_that_a_customers_key_encrypts_need_grants():
    def with_key_of_theirs(service: str) -> Any:
        made = clients(PLENTY)(service)
        return with_disk_key(made, "arn:aws:kms:us-west-2:1:key/own") if service == "ec2" else made

    (found,) = judged("disk-key", AwsAccount(plan_of(STACK), with_key_of_theirs))
    assert (found.outcome, found.subject) == ("warned", "arn:aws:kms:us-west-2:1:key/own")
