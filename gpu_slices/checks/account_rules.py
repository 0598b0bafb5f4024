"""Who asks, with which tools, and what of the stack's names is there already."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from ..iam.disk_key import AUTO_SCALING_ROLE
from ..iam.karpenter import SPOT_ROLE, SPOT_SERVICE
from ..log_groups import log_groups_of
from ..settings.cluster import Cluster
from .aws_account import AwsAccount, pages
from .table import Cause, Check, Finding

IDENTITY: Final = Check(
    name="identity",
    symptom="the stack comes up in the wrong account",
    looks_at="who asks AWS, and in which account and region",
    judged="for you to read: nothing can know which account you meant",
)

AWS_CLI: Final = Check(
    name="aws-cli",
    symptom="everything in the cluster fails with: exec: executable aws not found",
    looks_at="the `aws` program on PATH, which the kubeconfig calls for a token",
    judged="it is there",
    causes=(
        Cause(
            name="aws-cli-missing",
            text="the AWS CLI is not installed here: AWS is reached, the cluster will not be",
            remedy="install AWS CLI v2 (docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html); "
            "aws --version",
        ),
    ),
)

SPOT: Final = Check(
    name="spot-role",
    symptom="spot nodes never come: AuthFailure.ServiceLinkedRoleCreationNotPermitted",
    looks_at=f"the service-linked role {SPOT_ROLE}, where a pool may take spot capacity",
    judged="it exists; a warning where the first launch has to make it",
    causes=(
        Cause(
            name="spot-role-missing",
            text="nobody in this account has launched a spot instance yet; the first launch may fail and be tried again",
            remedy=f"aws iam create-service-linked-role --aws-service-name {SPOT_SERVICE}",
        ),
    ),
)

NAMES: Final = Check(
    name="names",
    symptom="`pulumi up` stops with ResourceInUseException or ResourceAlreadyExistsException",
    looks_at="the cluster and the log groups of the stack's names, and whose tags they carry",
    judged="they do not exist, or are this stack's own",
    causes=(
        Cause(
            name="cluster-taken",
            text="a cluster of this name is in the region and not this stack's",
            remedy="write another cluster.name: pulumi config set --path gpu-slices:cluster.name {cluster}-2",
        ),
        Cause(
            name="log-group-taken",
            text="a log group of the cluster's name is left over from an earlier cluster",
            remedy="aws logs delete-log-group --log-group-name {group} --region {region} (its log is lost), "
            "or write another cluster.name",
        ),
    ),
)

SECRETS_KEY: Final = Check(
    name="secrets-key",
    symptom="the cluster cannot be created: InvalidParameterException about the KMS key",
    looks_at="cluster.encryption.kmsKeyArn, where it names a key",
    judged="the key is enabled, symmetric, for encryption, and in the stack's region",
    causes=(
        Cause(
            name="key-not-found",
            text="there is no such key here, or this identity may not see it",
            remedy="aws kms describe-key --key-id {key} --region {region}; remove cluster.encryption.kmsKeyArn for a key "
            "of the stack's own",
        ),
        Cause(
            name="key-unusable",
            text="EKS cannot encrypt secrets with this key",
            remedy="name an enabled symmetric encryption key of {region}, or remove cluster.encryption.kmsKeyArn",
        ),
    ),
)

DISK_KEY: Final = Check(
    name="disk-key",
    symptom="instances start and are gone at once: Client.InternalError, or Karpenter's nodes never register",
    looks_at="security.diskKmsKeyArn and who launches nodes, else the key that EBS encrypts disks with when none is named",
    judged="the stack's key can be used and granted; a default that is a customer's is a warning",
    causes=(
        Cause(
            name="customer-disk-key",
            text="disks are encrypted with a customer's key: the Auto Scaling role and Karpenter need a grant for it",
            remedy="write security.diskKmsKeyArn: {key}, and the stack grants both the use of it",
        ),
        Cause(
            name="key-not-found",
            text="there is no such key here, or this identity may not see it",
            remedy="aws kms describe-key --key-id {key} --region {region}; remove security.diskKmsKeyArn for AWS's own key",
        ),
        Cause(
            name="key-unusable",
            text="EBS cannot encrypt disks with this key",
            remedy="name an enabled symmetric encryption key of {region}, or remove security.diskKmsKeyArn",
        ),
        Cause(
            name="auto-scaling-role-missing",
            text="nobody in this account has used Auto Scaling yet: the key cannot be granted to a role that is not there",
            remedy="aws iam create-service-linked-role --aws-service-name autoscaling.amazonaws.com",
        ),
    ),
)


def identity(account: AwsAccount) -> Iterator[Finding]:
    """Account, region, principal."""
    who = account.identity
    yield IDENTITY.passed(f"account {who['Account']}, {account.plan.settings.region}", who["Arn"])


def aws_cli(_: AwsAccount) -> Iterator[Finding]:
    """Whether the program that makes tokens is there."""
    found = shutil.which("aws")
    yield AWS_CLI.passed("aws", found) if found else AWS_CLI.failed("aws", "not on PATH", "aws-cli-missing")


def spot_role(account: AwsAccount) -> Iterator[Finding]:
    """Nothing to say where every pool is on demand."""
    groups = account.plan.settings.gpu_node_groups.values()
    if not (account.plan.spot or any(group.capacity == "spot" for group in groups)):
        return
    if _role_exists(account, SPOT_ROLE):
        yield SPOT.passed(SPOT_ROLE, "is there")
    else:
        yield SPOT.warned(SPOT_ROLE, "is not there", "spot-role-missing")


def names(account: AwsAccount) -> Iterator[Finding]:
    """The cluster's name, and those of its log groups."""
    cluster = account.plan.settings.cluster
    if isinstance(cluster, Cluster):
        yield _cluster_name(account, cluster.name)
    for name in log_groups_of(account.plan):
        yield _log_group(account, name)


def secrets_key(account: AwsAccount) -> Iterator[Finding]:
    """Nothing to say where the stack makes its own key."""
    cluster = account.plan.settings.cluster
    arn = cluster.encryption.kms_key_arn if isinstance(cluster, Cluster) else None
    if arn is not None:
        yield _key(account, SECRETS_KEY, arn)


def _key(account: AwsAccount, check: Check, arn: str) -> Finding:
    """A customer's key, by a check that has the causes key-not-found and key-unusable."""
    region = account.plan.settings.region
    if arn.split(":")[3] != region:
        return check.failed(arn, f"is in {arn.split(':')[3]}", "key-unusable", region=region)
    try:
        key = account.client("kms").describe_key(KeyId=arn)["KeyMetadata"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NotFoundException":
            raise
        return check.failed(arn, "is not there", "key-not-found", key=arn, region=region)
    facts = (key["KeyState"], key.get("KeySpec"), key.get("KeyUsage"))
    if facts == ("Enabled", "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"):
        return check.passed(arn, ", ".join(facts))
    return check.failed(arn, ", ".join(map(str, facts)), "key-unusable", region=region)


def disk_key(account: AwsAccount) -> Iterator[Finding]:
    """The stack's key for disks with the role that its grant is for; else the region's default key."""
    own = account.plan.settings.security.disk_kms_key_arn
    if own is not None:
        yield _key(account, DISK_KEY, own)
        if not _role_exists(account, AUTO_SCALING_ROLE):
            yield DISK_KEY.failed(AUTO_SCALING_ROLE, "is not there", "auto-scaling-role-missing")
        return
    key = account.client("ec2").get_ebs_default_kms_key_id()["KmsKeyId"]
    if key.endswith("alias/aws/ebs"):
        yield DISK_KEY.passed(key, "AWS's own")
    else:
        yield DISK_KEY.warned(key, "a customer's key", "customer-disk-key", key=key)


def _role_exists(account: AwsAccount, name: str) -> bool:
    try:
        account.client("iam").get_role(RoleName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
        return False
    return True


def _cluster_name(account: AwsAccount, name: str) -> Finding:
    try:
        cluster = account.client("eks").describe_cluster(name=name)["cluster"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return NAMES.passed(f"cluster {name}", "is free")
    if _is_own(account, cluster.get("tags", {})):
        return NAMES.passed(f"cluster {name}", "is this stack's own: it is up already")
    return NAMES.failed(f"cluster {name}", f"{cluster['status']}, {cluster['arn']}", "cluster-taken", cluster=name)


def _log_group(account: AwsAccount, name: str) -> Finding:
    client, region = account.client("logs"), account.plan.settings.region
    found = pages(client, "describe_log_groups", "logGroups", logGroupNamePrefix=name)
    group = next((one for one in found if one["logGroupName"] == name), None)
    if group is None:
        return NAMES.passed(f"log group {name}", "is free")
    arn = group["arn"].removesuffix(":*")
    if _is_own(account, client.list_tags_for_resource(resourceArn=arn)["tags"]):
        return NAMES.passed(f"log group {name}", "is this stack's own")
    return NAMES.failed(f"log group {name}", "exists", "log-group-taken", group=name, region=region)


def _is_own(account: AwsAccount, tags: Mapping[str, Any]) -> bool:
    return account.owner.owns({str(key): str(value) for key, value in tags.items()})
