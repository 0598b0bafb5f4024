"""`preflight`: what an account must have before the first `up`. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from botocore.exceptions import ClientError

from ..adoption.contents import CONTENTS
from ..adoption.rules import ADOPTED
from . import account_rules, adoption_account, place_rules, quota_rules, reservation_rules, subnet_rules
from .aws_account import AwsAccount
from .table import Check, Finding

#: Is told what is being looked at: words, how many are done, how many there are.
Progress = Callable[[str, int, int], None]

#: How AWS's services say that somebody may not ask.
_DENIED: Final = frozenset(
    {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedException", "UnauthorizedOperation"}
)


@dataclass(frozen=True, kw_only=True)
class AccountRule:
    """A row of the table and what reads and judges it; the reading raises botocore's errors."""

    check: Check
    judge: Callable[[AwsAccount], Iterator[Finding]]


#: In the order in which a first `up` would meet them.
RULES: Final[tuple[AccountRule, ...]] = (
    AccountRule(check=account_rules.IDENTITY, judge=account_rules.identity),
    AccountRule(check=account_rules.AWS_CLI, judge=account_rules.aws_cli),
    AccountRule(check=account_rules.NAMES, judge=account_rules.names),
    AccountRule(check=ADOPTED, judge=adoption_account.adopted_cluster),
    AccountRule(check=adoption_account.ADDONS, judge=adoption_account.adopted_addons),
    AccountRule(check=account_rules.SECRETS_KEY, judge=account_rules.secrets_key),
    AccountRule(check=quota_rules.NETWORK_QUOTAS, judge=quota_rules.network_quotas),
    AccountRule(check=subnet_rules.SUBNETS, judge=subnet_rules.subnets),
    AccountRule(check=place_rules.ZONES, judge=place_rules.zones),
    AccountRule(check=subnet_rules.WAY_OUT, judge=subnet_rules.ways_out),
    AccountRule(check=subnet_rules.DNS, judge=subnet_rules.vpc_dns),
    AccountRule(check=subnet_rules.ROOM, judge=subnet_rules.free_addresses),
    AccountRule(check=subnet_rules.TAGS, judge=subnet_rules.load_balancer_tags),
    AccountRule(check=place_rules.OFFERS, judge=place_rules.instance_types),
    AccountRule(check=reservation_rules.RESERVATIONS, judge=reservation_rules.reservations),
    AccountRule(check=quota_rules.VCPUS, judge=quota_rules.vcpu_quotas),
    AccountRule(check=account_rules.SPOT, judge=account_rules.spot_role),
    AccountRule(check=account_rules.DISK_KEY, judge=account_rules.disk_key),
    AccountRule(check=CONTENTS, judge=adoption_account.adopted_contents),
)


def rows() -> tuple[Check, ...]:
    """The whole table of the account."""
    return tuple(rule.check for rule in RULES)


def preflight(account: AwsAccount, progress: Progress, rules: Sequence[AccountRule] = RULES) -> tuple[Finding, ...]:
    """Everything that the rules find, in their order; what this identity may not read is skipped.

    Raises botocore's errors for credentials or a region that AWS refuses as a whole.
    """
    found: list[Finding] = []
    for number, rule in enumerate(rules):
        progress("reading the account", number, len(rules))
        found += _judged(rule, account)
    progress("reading the account", len(rules), len(rules))
    return tuple(found)


def _judged(rule: AccountRule, account: AwsAccount) -> list[Finding]:
    try:
        return list(rule.judge(account))
    except ClientError as error:
        if error.response["Error"]["Code"] not in _DENIED:
            raise
        return [rule.check.skipped(error.operation_name, "this identity may not ask")]
