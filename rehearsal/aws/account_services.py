"""GuardDuty and Security Hub: services that an account has once in a region."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.aws.table import AwsType, Rule, To, View, paths

DETECTOR = "aws:guardduty/detector:Detector"
FEATURE = "aws:guardduty/detectorFeature:DetectorFeature"
HUB = "aws:securityhub/account:Account"

#: GuardDuty's API reference, DetectorFeatureConfiguration.
_FEATURES = frozenset(
    {
        "EBS_MALWARE_PROTECTION", "EKS_AUDIT_LOGS", "EKS_RUNTIME_MONITORING", "LAMBDA_NETWORK_LOGS",
        "RDS_LOGIN_EVENTS", "RUNTIME_MONITORING", "S3_DATA_EVENTS",
    }
)  # fmt: skip
_EITHER = frozenset({"EKS_RUNTIME_MONITORING", "RUNTIME_MONITORING"})


def _only_one(token: str, words: str) -> Rule:
    def rule(_inputs: Mapping[str, Any], view: View) -> str | None:
        return words if view.others(token) else None

    return rule


def _feature(inputs: Mapping[str, Any], view: View) -> str | None:
    name = inputs.get("name")
    if name not in _FEATURES:
        return f"BadRequestException: there is no feature {name}, use {sorted(_FEATURES)}"
    if name in _EITHER:
        detector = view.find(DETECTOR, inputs["detectorId"]) or {}
        there = {feature["name"] for feature in detector.get("features") or () if feature["status"] == "ENABLED"}
        there |= {other["name"] for other in view.others(FEATURE) if other["detectorId"] == inputs["detectorId"]}
        if there & _EITHER - {name}:
            return "BadRequestException: only one of EKS_RUNTIME_MONITORING and RUNTIME_MONITORING can be enabled"
    return None


TYPES: dict[str, AwsType] = {
    DETECTOR: AwsType(
        id="{hex32}",
        arn="arn:aws:guardduty:{region}:{account}:detector/{id}",
        outputs={"accountId": "{account}"},
        rules=(
            _only_one(
                DETECTOR,
                "BadRequestException: The request is rejected because a detector already exists for the current account.",
            ),
        ),
        of_account=True,
    ),
    FEATURE: AwsType(
        id="{detectorId}/{name}",
        immutable=paths("detectorId", "name"),
        refers={"detectorId": To(DETECTOR, "*", blocks=False)},
        rules=(_feature,),
        of_account=True,
    ),
    HUB: AwsType(
        id="{account}",
        arn="arn:aws:securityhub:{region}:{account}:hub/default",
        immutable=paths("enableDefaultStandards"),
        rules=(_only_one(HUB, "ResourceConflictException: Account is already subscribed to Security Hub"),),
        of_account=True,
    ),
}
