"""Who GitHub's workflows are to AWS: tokens of one repository, for what may read and for what may change."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

#: GitHub's issuer of OpenID Connect tokens, which is also the provider's name in an account.
ISSUER: Final = "token.actions.githubusercontent.com"
AUDIENCE: Final = "sts.amazonaws.com"


def reading_subjects(repository: str) -> tuple[str, ...]:
    """Any branch and any pull request of the repository itself; a fork's pull request gets no token."""
    return (f"repo:{repository}:pull_request", f"repo:{repository}:ref:refs/heads/*")


def changing_subjects(repository: str, environments: Iterable[str]) -> tuple[str, ...]:
    """Jobs that run in one of these environments, which GitHub lets run once their reviewers agree."""
    return tuple(f"repo:{repository}:environment:{name}" for name in sorted(environments))


def github_trust(provider_arn: str, subjects: Iterable[str]) -> dict[str, Any]:
    """Takes the role: a token of GitHub's for AWS, whose subject is one of these (with * for any letters)."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "GitHubWorkflows",
                "Effect": "Allow",
                "Principal": {"Federated": provider_arn},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {
                    "StringEquals": {f"{ISSUER}:aud": AUDIENCE},
                    "StringLike": {f"{ISSUER}:sub": sorted(subjects)},
                },
            }
        ],
    }


def github_trust_json(provider_arn: str, subjects: Iterable[str]) -> str:
    """The trust as the text that IAM takes."""
    return json.dumps(github_trust(provider_arn, subjects), sort_keys=True)
