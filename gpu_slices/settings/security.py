"""The `security` key: what hardens the stack at a price or with a choice, each a switch that is off by default."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from .base import Flag, Model, Positive, Text, refused
from .cluster import KeyArn, check_retention
from .mistakes import shown

_ROLE: Final = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/.+")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")

#: Traffic that VPC flow logs record → EC2's word for it; `none` keeps no log.
FLOW_LOG_TRAFFIC: Final = {"all": "ALL", "rejected": "REJECT"}


def _role_arn(value: str) -> str:
    if not _ROLE.fullmatch(value):
        raise refused(
            f"{shown(value)} is not an IAM role",
            "write a role that people must take on purpose, like arn:aws:iam::123456789012:role/BreakGlass",
        )
    return value


def _digest(value: str) -> str:
    if not _DIGEST.fullmatch(value):
        raise refused(
            f"{shown(value)} is not a digest", "write sha256: and 64 hex digits, as docker buildx imagetools shows"
        )
    return value


def _flow_logs(value: Any) -> Any:
    if isinstance(value, bool):
        raise refused("YAML reads off and on as false and true", "write none, rejected or all")
    return value


class Security(Model):
    """Account and cluster security beyond what every stack has."""

    flow_logs: Annotated[Literal["none", "rejected", "all"], BeforeValidator(_flow_logs)] = Field(
        default="none", description="VPC flow logs: none, only rejected traffic, or all of it. CloudWatch bills per GB."
    )
    flow_log_retention_days: Annotated[Positive, AfterValidator(check_retention)] = Field(
        default=30, description="Days that flow logs are kept."
    )
    break_glass_role_arn: Annotated[Text, AfterValidator(_role_arn)] | None = Field(
        default=None, description="IAM role that may do everything in the cluster in an emergency; its use is audited."
    )
    guard_duty: Flag = Field(
        default=False,
        description="GuardDuty with EKS runtime monitoring; a detector of the account is adopted and never turned off.",
    )
    security_hub: Flag = Field(
        default=False,
        description="Security Hub with AWS's default standards; adopted where it is on, never turned off.",
    )
    disk_kms_key_arn: KeyArn | None = Field(
        default=None, description="Your own KMS key for node disks and volumes, with the grants it needs."
    )
    digests: dict[Text, Annotated[Text, AfterValidator(_digest)]] = Field(
        default={}, description="Image → sha256 digest it must have: registry/name:tag: sha256:…"
    )

    @property
    def needs_component(self) -> bool:
        """Whether something of it stands by itself; keys and digests are part of what they protect."""
        return self.flow_logs != "none" or bool(self.break_glass_role_arn) or self.guard_duty or self.security_hub
