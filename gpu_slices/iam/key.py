"""What every key of ours has in its policy."""

from __future__ import annotations

from typing import Any


def account_decides(partition: str, account: str) -> dict[str, Any]:
    """The account's IAM says who uses the key and who manages it; without this statement nobody could."""
    return {
        "Sid": "AccountDecides",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{partition}:iam::{account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
