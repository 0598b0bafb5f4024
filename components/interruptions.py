"""EventBridge's warnings about EC2 instances: a queue for Karpenter, a log group for people."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from gpu_slices.iam.interruptions import log_policy_json, queue_policy_json
from gpu_slices.interruptions import QUEUE_RETENTION_SECONDS, event_patterns, interruption_log_group_name

from .component import Component


@dataclass(frozen=True, kw_only=True)
class InterruptionsArgs:
    """The cluster, and how events are kept: for how many days, with which key (None: AWS's own)."""

    cluster_name: pulumi.Input[str]
    log_retention_days: int
    log_key_arn: pulumi.Input[str] | None = None


class Interruptions(Component):
    """Queue, log group, and five rules that each send to both. `ways_in` are what messages need to reach the queue."""

    queue: aws.sqs.Queue
    log_group_name: pulumi.Output[str]
    ways_in: tuple[pulumi.Resource, ...]

    def __init__(self, name: str, args: InterruptionsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self.queue = aws.sqs.Queue(
            f"{name}-queue",
            message_retention_seconds=QUEUE_RETENTION_SECONDS,
            sqs_managed_sse_enabled=True,
            opts=self.child(),
        )
        may_send = aws.sqs.QueuePolicy(
            f"{name}-queue-policy",
            queue_url=self.queue.url,
            policy=self.queue.arn.apply(queue_policy_json),
            opts=self.child(),
        )
        logs = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            name=pulumi.Output.from_input(args.cluster_name).apply(interruption_log_group_name),
            retention_in_days=args.log_retention_days,
            kms_key_id=args.log_key_arn,
            opts=self.child(),
        )
        may_write = aws.cloudwatch.LogResourcePolicy(
            f"{name}-logs-policy",
            policy_name=pulumi.Output.format("{0}-interruptions", args.cluster_name),
            policy_document=logs.arn.apply(log_policy_json),
            opts=self.child(),
        )
        targets: list[pulumi.Resource] = []
        for word, pattern in sorted(event_patterns().items()):
            rule = aws.cloudwatch.EventRule(
                f"{name}-{word}", event_pattern=pulumi.Output.json_dumps(pattern), opts=self.child()
            )
            targets.append(self._target(f"{name}-{word}-queue", rule, self.queue.arn, may_send))
            self._target(f"{name}-{word}-logs", rule, logs.arn, may_write)
        self.ways_in = (may_send, *targets)
        self.log_group_name = logs.name
        self.register_outputs({"queue_name": self.queue.name, "log_group_name": self.log_group_name})

    def _target(
        self, name: str, rule: aws.cloudwatch.EventRule, arn: pulumi.Output[str], allowed: pulumi.Resource
    ) -> aws.cloudwatch.EventTarget:
        return aws.cloudwatch.EventTarget(name, rule=rule.name, arn=arn, opts=self.child(depends_on=[allowed]))
