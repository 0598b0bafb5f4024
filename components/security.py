"""What a stack asks for of account and cluster security: each part only where the stack says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from gpu_slices.naming import flow_log_group_name
from gpu_slices.settings.cluster import Access
from gpu_slices.settings.security import FLOW_LOG_TRAFFIC
from gpu_slices.settings.security import Security as SecuritySettings

from .access import declare_access
from .component import Component
from .flow_logs import FlowLogs, FlowLogsArgs
from .guard_duty import GuardDuty, GuardDutyArgs
from .security_hub import SecurityHub


@dataclass(frozen=True, kw_only=True)
class SecurityArgs:
    """The choices, the cluster by its settings' name and as AWS has it, and the network it lies in.

    `own_network`: the stack made the VPC, so its endpoints are the stack's to make. `log_key_arn` encrypts log groups
    (None: AWS's own key). `after` is what pods need to run.
    """

    settings: SecuritySettings
    region: str
    name_of_cluster: str
    cluster_name: pulumi.Input[str]
    cluster_security_group_id: pulumi.Input[str]
    vpc_id: pulumi.Input[str]
    private_subnet_ids: Sequence[pulumi.Input[str]]
    own_network: bool
    log_key_arn: pulumi.Input[str] | None = None
    after: Sequence[pulumi.Resource] = ()


class Security(Component):
    """Flow logs, an emergency's way in, GuardDuty and Security Hub."""

    def __init__(self, name: str, args: SecurityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        chosen = args.settings
        if chosen.flow_logs != "none":
            flow_logs = FlowLogsArgs(
                vpc_id=args.vpc_id,
                traffic_type=FLOW_LOG_TRAFFIC[chosen.flow_logs],
                region=args.region,
                log_group_name=flow_log_group_name(args.name_of_cluster),
                retention_days=chosen.flow_log_retention_days,
                kms_key_arn=args.log_key_arn,
            )
            FlowLogs(f"{name}-flow-logs", flow_logs, self.child())
        if chosen.break_glass_role_arn:
            everything = Access.model_validate({"principalArn": chosen.break_glass_role_arn, "policy": "cluster-admin"})
            declare_access(self, f"{name}-break-glass", args.cluster_name, everything)
        if chosen.guard_duty:
            GuardDuty(f"{name}-guard-duty", self._guard_duty(args), self.child())
        if chosen.security_hub:
            SecurityHub(f"{name}-security-hub", self.child())
        self.register_outputs({})

    def _guard_duty(self, args: SecurityArgs) -> GuardDutyArgs:
        return GuardDutyArgs(
            region=args.region,
            cluster_name=args.cluster_name,
            cluster_security_group_id=args.cluster_security_group_id,
            vpc_id=args.vpc_id,
            private_subnet_ids=args.private_subnet_ids,
            own_network=args.own_network,
            after=args.after,
        )
