"""The role with which VPC flow logs write to their log group."""

from __future__ import annotations

import json
from typing import Any


def flow_log_trust(*, partition: str, account: str, region: str) -> dict[str, Any]:
    """Flow logs of this account and region take the role, nobody else's (the confused deputy's answer)."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "vpc-flow-logs.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": account},
                    "ArnLike": {"aws:SourceArn": f"arn:{partition}:ec2:{region}:{account}:vpc-flow-log/*"},
                },
            }
        ],
    }


def flow_log_trust_json(partition: str, account: str, region: str) -> str:
    """The same as the text that IAM takes."""
    return json.dumps(flow_log_trust(partition=partition, account=account, region=region), sort_keys=True)


def flow_log_policy(log_group_arn: str) -> dict[str, Any]:
    """Write to one log group. It may not create groups: a group deleted with the stack must stay gone.

    Listing groups knows no resource, so it is held to the group's region.
    """
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "WriteFlows",
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                "Resource": [log_group_arn, f"{log_group_arn}:*"],
            },
            {
                "Sid": "FindTheGroup",
                "Effect": "Allow",
                "Action": ["logs:DescribeLogGroups"],
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:RequestedRegion": log_group_arn.split(":")[3]}},
            },
        ],
    }


def flow_log_policy_json(log_group_arn: str) -> str:
    """The same as the text that IAM takes."""
    return json.dumps(flow_log_policy(log_group_arn), sort_keys=True)
