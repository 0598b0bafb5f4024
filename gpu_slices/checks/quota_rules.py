"""Quotas: vCPUs by kind of instance, addresses and networks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from ..catalogue import load
from ..leftovers.owner import tags_of
from ..settings.cluster import NewNetwork
from .aws_account import AwsAccount, pages
from .quota_needs import QUOTA_NAMES, Need, quota_code, quota_needs
from .table import Cause, Check, Finding

_REQUEST: Final = (
    "aws service-quotas request-service-quota-increase --service-code {service} --quota-code {code} "
    "--desired-value {wanted} --region {region}"
)

VCPUS: Final = Check(
    name="vcpu-quotas",
    symptom="nodes never come: VcpuLimitExceeded, MaxSpotInstanceCountExceeded, or a node group that stays CREATING",
    looks_at="the account's vCPU quotas, what other instances use of them, what the stack needs now and at its limits",
    judged="what is free holds the configured size; a warning where it does not hold the limits",
    causes=(
        Cause(
            name="quota-zero",
            text="the account may run none of these instances: GPU quotas start at 0",
            remedy=_REQUEST,
        ),
        Cause(
            name="quota-too-small",
            text="the quota does not hold the configured size",
            remedy=_REQUEST,
        ),
        Cause(
            name="quota-below-limit",
            text="the configured size fits, the limits of the stack do not: the last nodes will not come",
            remedy=_REQUEST,
        ),
        Cause(
            name="no-capacity-left",
            text="neither spot nor on-demand quota holds the first node of the pool",
            remedy=_REQUEST,
        ),
    ),
)

NETWORK_QUOTAS: Final = Check(
    name="network-quotas",
    symptom="`pulumi up` stops with VpcLimitExceeded or AddressLimitExceeded",
    looks_at="the quotas of VPCs and of elastic IP addresses (one per NAT gateway), and how many others have",
    judged="what is free holds a new network",
    causes=(
        Cause(name="no-vpc-left", text="the region holds as many VPCs as it may", remedy=_REQUEST),
        Cause(name="no-address-left", text="there are not enough elastic IP addresses left", remedy=_REQUEST),
    ),
)


@dataclass(frozen=True, kw_only=True)
class QuotaState:
    """One quota of the account: its value, and what others use of it."""

    value: int
    used: int

    @property
    def free(self) -> int:
        """What is left of it."""
        return self.value - self.used


def vcpu_quotas(account: AwsAccount) -> Iterator[Finding]:
    """A finding per quota that the stack needs something of."""
    needs = quota_needs(account.plan, account.vcpus)
    used = _used(account.instances)
    states: dict[str, QuotaState] = {}
    for code in sorted({need.code for need in needs}):
        value = _value(account, "ec2", code)
        if value is None:
            yield VCPUS.skipped(_subject(code), "AWS says no value for this quota here")
        else:
            states[code] = QuotaState(value=value, used=used.get(code, 0))
    yield from judge_vcpus(needs, states, account.plan.settings.region)


def judge_vcpus(needs: Iterable[Need], states: Mapping[str, QuotaState], region: str) -> Iterator[Finding]:
    """The needs beside the quotas that are known."""
    known = [need for need in needs if need.code in states]
    for code, state in sorted(states.items()):
        own = [need for need in known if need.code == code]
        now, limit = sum(need.now for need in own if not need.alternative), sum(need.limit for need in own)
        seen = f"{state.value} vCPUs, {state.used} used by others; needed {_written(own, now, limit)}"
        details = _request("ec2", code, state.used + max(now, limit), region)
        if now > state.free:
            yield VCPUS.failed(_subject(code), seen, "quota-too-small" if state.value else "quota-zero", **details)
        elif limit > state.free:
            yield VCPUS.warned(_subject(code), seen, "quota-below-limit" if state.value else "quota-zero", **details)
        else:
            yield VCPUS.passed(_subject(code), seen)
    yield from _without_alternative(known, states, region)


def _without_alternative(needs: list[Need], states: Mapping[str, QuotaState], region: str) -> Iterator[Finding]:
    """Pools that could take their first node from several quotas, and can from none."""
    for path in sorted({need.path for need in needs if need.alternative and need.now}):
        own = [need for need in needs if need.path == path]
        if all(need.now > states[need.code].free for need in own):
            best = max(own, key=lambda need: states[need.code].free)
            seen = ", ".join(f"{states[need.code].free} vCPUs free of {need.code}" for need in own)
            details = _request("ec2", best.code, states[best.code].used + best.limit, region)
            yield VCPUS.failed(path, f"{seen}; the first node needs {best.now}", "no-capacity-left", **details)


def network_quotas(account: AwsAccount) -> Iterator[Finding]:
    """Room for a new VPC and its NAT gateways' addresses; nothing to say of an existing network."""
    network = account.plan.settings.network
    if not isinstance(network, NewNetwork):
        return
    gateways = len(account.plan.zones) if network.nat == "per-zone" else 1
    rows = (
        ("vpc", "L-F678F1CE", "VPCs", 1, ("describe_vpcs", "Vpcs"), "no-vpc-left"),
        ("ec2", "L-0263D0A3", "elastic IP addresses", gateways, ("describe_addresses", "Addresses"), "no-address-left"),
    )
    for service, code, words, need, (operation, answer), cause in rows:
        value = _value(account, service, code)
        if value is None:
            yield NETWORK_QUOTAS.skipped(words, "AWS says no value for this quota here")
            continue
        every = pages(account.client("ec2"), operation, answer)
        used = sum(not account.owner.owns(tags_of(one)) for one in every)
        seen = f"{value} {words}, {used} used by others; needed {need}"
        region = account.plan.settings.region
        if used + need > value:
            yield NETWORK_QUOTAS.failed(words, seen, cause, **_request(service, code, used + need, region))
        else:
            yield NETWORK_QUOTAS.passed(words, seen)


def _value(account: AwsAccount, service: str, code: str) -> int | None:
    """The account's value of a quota, else AWS's default; None where there is neither."""
    client = account.client("service-quotas")
    for ask in (client.get_service_quota, client.get_aws_default_service_quota):
        try:
            return int(ask(ServiceCode=service, QuotaCode=code)["Quota"]["Value"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchResourceException":
                raise
    return None


def _used(instances: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Quota code → vCPUs of running instances."""
    used: dict[str, int] = {}
    for one in instances:
        capacity = "spot" if one.get("InstanceLifecycle") == "spot" else "on-demand"
        code = quota_code(one["InstanceType"], capacity)
        if code:
            used[code] = used.get(code, 0) + _vcpus(one)
    return used


def _vcpus(instance: Mapping[str, Any]) -> int:
    """As the instance runs: CPU options may have switched some off, and quotas count those that are on."""
    cpu = instance.get("CpuOptions")
    if cpu:
        return cpu["CoreCount"] * cpu["ThreadsPerCore"]
    known = load().instances.get(instance["InstanceType"])
    return known.vcpu if known else 0


def _written(needs: list[Need], now: int, limit: int) -> str:
    parts = ", ".join(f"{need.path} {need.now} to {need.limit}" for need in needs)
    return f"{now} as configured, {limit} at the limits ({parts})"


def _subject(code: str) -> str:
    return f"{QUOTA_NAMES[code]} ({code})"


def _request(service: str, code: str, wanted: int, region: str) -> dict[str, str]:
    return {"service": service, "code": code, "wanted": str(wanted), "region": region}
