"""Policies of VPC endpoints."""

from __future__ import annotations

import json
from typing import Any


def own_account_policy(account: str) -> dict[str, Any]:
    """Everything that the endpoint's service offers, for identities of this account only: no way out for data."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "OwnAccount",
                "Effect": "Allow",
                "Principal": "*",
                "Action": "*",
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:PrincipalAccount": account}},
            }
        ],
    }


def own_account_policy_json(account: str) -> str:
    """The same as the text that EC2 takes."""
    return json.dumps(own_account_policy(account), sort_keys=True)
