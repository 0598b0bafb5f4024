"""What the pods of optional EKS add-ons may do; EKS Pod Identity gives each add-on a role of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Where:
    """`partition` is aws, aws-cn or aws-us-gov."""

    partition: str
    account: str
    region: str


def fsx_policy(where: Where) -> Document:
    """File systems that the driver itself made, which it tags with the volume's name, and no other.

    AWS's guide attaches AmazonFSxFullAccess, which may delete every file system of the account. What it also allows for
    data repositories on S3 is left out: a stack that links a bucket gives those rights beside this.
    """
    arn = f"arn:{where.partition}"
    file_systems = f"{arn}:fsx:{where.region}:{where.account}:file-system/*"
    return {
        "Version": "2012-10-17",
        "Statement": [
            _allow(
                "MakeVolumes",
                ["fsx:CreateFileSystem", "fsx:TagResource"],
                file_systems,
                {"StringLike": {"aws:RequestTag/CSIVolumeName": "*"}},
            ),
            _allow(
                "ChangeOwnVolumes",
                ["fsx:DeleteFileSystem", "fsx:UpdateFileSystem"],
                file_systems,
                {"StringLike": {"aws:ResourceTag/CSIVolumeName": "*"}},
            ),
            _allow(
                "SeeVolumes",
                ["fsx:DescribeFileSystems"],
                "*",
                {"StringEquals": {"aws:RequestedRegion": where.region}},
            ),
            _allow(
                "LetFsxHaveItsRole",
                ["iam:CreateServiceLinkedRole"],
                f"{arn}:iam::{where.account}:role/aws-service-role/fsx.amazonaws.com/*",
                {"StringEquals": {"iam:AWSServiceName": "fsx.amazonaws.com"}},
            ),
        ],
    }


def document_json(document: Document) -> str:
    """As the text that IAM takes."""
    return json.dumps(document, sort_keys=True)


def _allow(sid: str, actions: list[str], resource: str, condition: Document | None = None) -> Document:
    statement = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}
    return {**statement, "Condition": condition} if condition else statement
