"""Who may do what with remote state: the bucket that holds it, and the key that encrypts it and its secrets."""

from __future__ import annotations

import json
from typing import Any, Final

from .key import account_decides

Document = dict[str, Any]

_READ_OBJECTS: Final = ["s3:GetObject"]
#: Pulumi writes checkpoints, history and backups, and deletes its own lock files.
_WRITE_OBJECTS: Final = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
_DECRYPT: Final = ["kms:Decrypt", "kms:DescribeKey"]
_ENCRYPT: Final = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"]


def bucket_policy(bucket_arn: str) -> Document:
    """Nothing without TLS, and no object for which another encryption is asked than the bucket's own."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "OnlyTls",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [bucket_arn, f"{bucket_arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
            {
                "Sid": "OnlyKms",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:PutObject",
                "Resource": f"{bucket_arn}/*",
                # Pulumi asks for none, which is the bucket's; a comparison alone would hold for a missing header too.
                "Condition": {
                    "Null": {"s3:x-amz-server-side-encryption": "false"},
                    "StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"},
                },
            },
        ],
    }


def state_key_policy(*, partition: str, account: str) -> Document:
    """Roles get the key by their own policies."""
    return {"Version": "2012-10-17", "Statement": [account_decides(partition, account)]}


def state_access(*, bucket_arn: str, key_arn: str, changes: bool) -> Document:
    """A role's access to the state: a preview reads and takes no lock, an update reads, writes and locks."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            _allow("FindStacks", ["s3:GetBucketLocation", "s3:ListBucket"], bucket_arn),
            _allow("UseStacks", _WRITE_OBJECTS if changes else _READ_OBJECTS, f"{bucket_arn}/.pulumi/*"),
            _allow("UseTheKey", _ENCRYPT if changes else _DECRYPT, key_arn),
        ],
    }


def bucket_policy_json(bucket_arn: str) -> str:
    """The bucket's policy as the text that S3 takes."""
    return json.dumps(bucket_policy(bucket_arn), sort_keys=True)


def state_access_json(bucket_arn: str, key_arn: str, changes: bool) -> str:
    """The access as the text that IAM takes."""
    return json.dumps(state_access(bucket_arn=bucket_arn, key_arn=key_arn, changes=changes), sort_keys=True)


def _allow(sid: str, actions: list[str], resource: str) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}
