"""GuardDuty's runtime monitoring of one cluster, on the detector that the account has or on its first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from gpu_slices.iam.endpoints import own_account_policy_json

from .account_services import KEPT, found
from .component import Component

#: The two names under which runtime monitoring exists: AWS refuses to have both, the older one knows EKS only.
_RUNTIME: Final = "RUNTIME_MONITORING"
_OLD_RUNTIME: Final = "EKS_RUNTIME_MONITORING"
_AGENT_MANAGEMENT: Final = "EKS_ADDON_MANAGEMENT"
_AGENT: Final = "aws-guardduty-agent"


@dataclass(frozen=True, kw_only=True)
class GuardDutyArgs:
    """The cluster, its network, and what the agent's pods need to run (`after`).

    `own_network`: the stack made the VPC and gives it the agent's endpoint; an existing VPC must have one.
    """

    region: str
    cluster_name: pulumi.Input[str]
    cluster_security_group_id: pulumi.Input[str]
    vpc_id: pulumi.Input[str]
    private_subnet_ids: Sequence[pulumi.Input[str]]
    own_network: bool
    after: Sequence[pulumi.Resource] = ()


class GuardDuty(Component):
    """Detector, its EKS features, the agent on this cluster, and the endpoint that the agent reports to.

    The detector belongs to the account: one that is there is adopted as it is, and none is ever turned off. An agent
    that the account lets GuardDuty manage itself is left to GuardDuty.
    """

    def __init__(self, name: str, args: GuardDutyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        there = found(lambda: aws.guardduty.get_detector(opts=pulumi.InvokeOptions(parent=self)))
        detector = aws.guardduty.Detector(
            f"{name}-detector",
            enable=True,
            opts=self.child(
                import_=there.id if there else None,
                ignore_changes=["enable", "findingPublishingFrequency", "tags", "tagsAll"],
                **KEPT,
            ),
        )
        enabled = _enabled(there)
        features = [
            aws.guardduty.DetectorFeature(
                f"{name}-{word}",
                detector_id=detector.id,
                name=feature,
                status="ENABLED",
                opts=self.child(ignore_changes=["additionalConfigurations"], **KEPT),
            )
            for word, feature in (("audit-logs", "EKS_AUDIT_LOGS"), ("runtime", _RUNTIME))
            if feature != _RUNTIME or _OLD_RUNTIME not in enabled
        ]
        if not any(_AGENT_MANAGEMENT in enabled.get(feature, ()) for feature in (_RUNTIME, _OLD_RUNTIME)):
            self._agent(name, args, features)
        self.register_outputs({"detector_id": detector.id})

    def _agent(self, name: str, args: GuardDutyArgs, features: Sequence[pulumi.Resource]) -> None:
        ways_out = self._endpoint(f"{name}-endpoint", args) if args.own_network else []
        aws.eks.Addon(
            f"{name}-agent",
            cluster_name=args.cluster_name,
            addon_name=_AGENT,
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",
            opts=self.child(depends_on=[*features, *ways_out, *args.after]),
        )

    def _endpoint(self, name: str, args: GuardDutyArgs) -> list[pulumi.Resource]:
        """Only the cluster's nodes reach it, and only for their own account."""
        group = aws.ec2.SecurityGroup(
            f"{name}-group",
            description="GuardDuty's endpoint: nodes of the cluster, nobody else",
            vpc_id=args.vpc_id,
            opts=self.child(),
        )
        nodes = aws.vpc.SecurityGroupIngressRule(
            f"{name}-from-nodes",
            security_group_id=group.id,
            referenced_security_group_id=args.cluster_security_group_id,
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            opts=self.child(),
        )
        account = aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(parent=self)).account_id
        endpoint = aws.ec2.VpcEndpoint(
            name,
            vpc_id=args.vpc_id,
            service_name=f"com.amazonaws.{args.region}.guardduty-data",
            vpc_endpoint_type="Interface",
            private_dns_enabled=True,
            subnet_ids=args.private_subnet_ids,
            security_group_ids=[group.id],
            policy=account.apply(own_account_policy_json),
            opts=self.child(),
        )
        return [nodes, endpoint]


def _enabled(detector: aws.guardduty.GetDetectorResult | None) -> Mapping[str, frozenset[str]]:
    """Feature → its enabled additional configurations, of the features that are enabled."""
    return {
        feature.name: frozenset(one.name for one in feature.additional_configurations or () if one.status == "ENABLED")
        for feature in (detector.features if detector else ())
        if feature.status == "ENABLED"
    }
