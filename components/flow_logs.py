"""VPC flow logs into an encrypted log group that is kept for a stated time."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from gpu_slices.iam.flow_logs import flow_log_policy_json, flow_log_trust_json

from .component import Component


@dataclass(frozen=True, kw_only=True)
class FlowLogsArgs:
    """Which VPC, which traffic (ALL or REJECT), and where it is written: log group, days, key (None: AWS's own)."""

    vpc_id: pulumi.Input[str]
    traffic_type: str
    region: str
    log_group_name: str
    retention_days: int
    kms_key_arn: pulumi.Input[str] | None = None


class FlowLogs(Component):
    """Log group, role and flow log."""

    def __init__(self, name: str, args: FlowLogsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        here = pulumi.InvokeOutputOptions(parent=self)
        group = aws.cloudwatch.LogGroup(
            f"{name}-group",
            name=args.log_group_name,
            retention_in_days=args.retention_days,
            kms_key_id=args.kms_key_arn,
            opts=self.child(),
        )
        role = aws.iam.Role(
            f"{name}-role",
            assume_role_policy=pulumi.Output.all(
                aws.get_partition_output(opts=here).partition,
                aws.get_caller_identity_output(opts=here).account_id,
                args.region,
            ).apply(lambda known: flow_log_trust_json(*known)),
            opts=self.child(),
        )
        may_write = aws.iam.RolePolicy(
            f"{name}-role-policy", role=role.name, policy=group.arn.apply(flow_log_policy_json), opts=self.child()
        )
        aws.ec2.FlowLog(
            f"{name}-log",
            vpc_id=args.vpc_id,
            traffic_type=args.traffic_type,
            log_destination_type="cloud-watch-logs",
            log_destination=group.arn,
            iam_role_arn=role.arn,
            opts=self.child(depends_on=[may_write]),
        )
        self.register_outputs({"log_group_name": group.name})
