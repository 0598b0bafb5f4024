"""Key policy of the cluster's KMS key: Kubernetes secrets and the stack's logs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .key import account_decides


def cluster_key_policy(*, partition: str, account: str, region: str, log_groups: Sequence[str]) -> dict[str, Any]:
    """The account's IAM decides who uses the key; CloudWatch Logs may use it for these log groups only."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            account_decides(partition, account),
            {
                "Sid": "StackLogs",
                "Effect": "Allow",
                "Principal": {"Service": f"logs.{region}.amazonaws.com"},
                "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
                "Resource": "*",
                "Condition": {
                    "ArnEquals": {
                        "kms:EncryptionContext:aws:logs:arn": [
                            f"arn:{partition}:logs:{region}:{account}:log-group:{name}" for name in log_groups
                        ]
                    }
                },
            },
        ],
    }


def cluster_key_policy_json(partition: str, account: str, region: str, log_groups: Sequence[str]) -> str:
    """The same as the text that KMS takes."""
    return json.dumps(
        cluster_key_policy(partition=partition, account=account, region=region, log_groups=log_groups), sort_keys=True
    )
