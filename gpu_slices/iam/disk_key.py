"""What a customer's KMS key must allow before EC2 can start machines with disks under it."""

from __future__ import annotations

from typing import Any, Final

#: The role with which Auto Scaling launches the nodes of managed groups; AWS's own, one per account.
AUTO_SCALING_ROLE: Final = "AWSServiceRoleForAutoScaling"
#: What EBS asks of a key for a volume's life (EC2 Auto Scaling user guide, required key policy for encrypted volumes).
GRANT_OPERATIONS: Final = (
    "CreateGrant",
    "Decrypt",
    "DescribeKey",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
)


def auto_scaling_role_arn(partition: str, account: str) -> str:
    """Who launches managed node groups."""
    return f"arn:{partition}:iam::{account}:role/aws-service-role/autoscaling.amazonaws.com/{AUTO_SCALING_ROLE}"


def volume_key_policy(key_arn: str) -> dict[str, Any]:
    """A role that makes volumes under the key, such as the EBS driver's: EBS uses it on the role's behalf."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "LetEbsUseTheKey",
                "Effect": "Allow",
                "Action": ["kms:CreateGrant"],
                "Resource": key_arn,
                "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
            },
            {
                "Sid": "UseTheKey",
                "Effect": "Allow",
                "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext"],
                "Resource": key_arn,
            },
        ],
    }
