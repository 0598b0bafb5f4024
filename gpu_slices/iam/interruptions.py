"""Who may write into the interruption queue and the log group beside it."""

from __future__ import annotations

import json
from typing import Any


def queue_policy(queue_arn: str) -> dict[str, Any]:
    """EventBridge's rules of this account and region may send; nobody may do anything without TLS."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "RulesSend",
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": queue_arn,
                "Condition": {"ArnLike": {"aws:SourceArn": _rules_beside(queue_arn)}},
            },
            {
                "Sid": "OnlyTls",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "sqs:*",
                "Resource": queue_arn,
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ],
    }


def log_policy(log_group_arn: str) -> dict[str, Any]:
    """EventBridge may write to this log group. Only PutLogEvents knows the rule that it is called for."""
    services = {"Service": ["delivery.logs.amazonaws.com", "events.amazonaws.com"]}
    streams = f"{log_group_arn}:*"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "RulesOpenStreams",
                "Effect": "Allow",
                "Principal": services,
                "Action": "logs:CreateLogStream",
                "Resource": streams,
            },
            {
                "Sid": "RulesWrite",
                "Effect": "Allow",
                "Principal": services,
                "Action": "logs:PutLogEvents",
                "Resource": streams,
                "Condition": {"ArnLike": {"aws:SourceArn": _rules_beside(log_group_arn)}},
            },
        ],
    }


def queue_policy_json(queue_arn: str) -> str:
    """The same as the text that SQS takes."""
    return json.dumps(queue_policy(queue_arn), sort_keys=True)


def log_policy_json(log_group_arn: str) -> str:
    """The same as the text that CloudWatch Logs takes."""
    return json.dumps(log_policy(log_group_arn), sort_keys=True)


def _rules_beside(arn: str) -> str:
    """Every EventBridge rule in the account and region of another thing."""
    _, partition, _, region, account, _ = arn.split(":", 5)
    return f"arn:{partition}:events:{region}:{account}:rule/*"
