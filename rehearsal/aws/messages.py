"""Logs, events and queues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.aws.table import AwsType, To, View, paths

GROUP = "aws:cloudwatch/logGroup:LogGroup"
RULE = "aws:cloudwatch/eventRule:EventRule"
QUEUE = "aws:sqs/queue:Queue"

#: The days that CloudWatch Logs accepts (PutRetentionPolicy); 0 keeps for ever.
_RETENTION = frozenset(
    {0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
)


def _retention(inputs: Mapping[str, Any], _view: View) -> str | None:
    days = inputs.get("retentionInDays")
    if days is None or int(days) in _RETENTION:
        return None
    return f"InvalidParameterException: retentionInDays can't be {days}, but one of {sorted(_RETENTION)}"


def _trigger(inputs: Mapping[str, Any], _view: View) -> str | None:
    if inputs.get("eventPattern") or inputs.get("scheduleExpression"):
        return None
    return "ValidationException: Parameter(s) EventPattern or ScheduleExpression must be specified."


def _target(inputs: Mapping[str, Any], view: View) -> str | None:
    arn = inputs["arn"]
    if view.find(QUEUE, arn) or view.find(GROUP, arn):
        return None
    return f"ValidationException: there is no queue and no log group {arn} in this account"


def _fifo(inputs: Mapping[str, Any], _placeholders: Mapping[str, str]) -> bool:
    return bool(inputs.get("fifoQueue"))


TYPES: dict[str, AwsType] = {
    GROUP: AwsType(
        id="{name}",
        arn="arn:aws:logs:{region}:{account}:log-group:{name}",
        named="name",
        prefix="namePrefix",
        immutable=paths("name", "namePrefix", "logGroupClass"),
        unique=("name",),
        taken="ResourceAlreadyExistsException",
        rules=(_retention,),
    ),
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": AwsType(
        id="{policyName}", immutable=paths("policyName", "resourceArn")
    ),
    RULE: AwsType(
        id="{name}",
        arn="arn:aws:events:{region}:{account}:rule/{name}",
        named="name",
        prefix="namePrefix",
        immutable=paths("name", "namePrefix", "eventBusName"),
        in_use="ValidationException",
        longest=64,
        rules=(_trigger,),
    ),
    "aws:cloudwatch/eventTarget:EventTarget": AwsType(
        id="{rule}-{name}",
        named="targetId",
        immutable=paths("rule", "targetId", "eventBusName"),
        refers={"rule": To(RULE)},
        rules=(_target,),
    ),
    QUEUE: AwsType(
        id="https://sqs.{region}.amazonaws.com/{account}/{name}",
        arn="arn:aws:sqs:{region}:{account}:{name}",
        named="name",
        prefix="namePrefix",
        immutable=paths("name", "namePrefix", "fifoQueue"),
        unique=("name",),
        taken="QueueAlreadyExists",
        longest=80,
        outputs={"url": "{id}", "fifoQueue": _fifo},
    ),
    "aws:sqs/queuePolicy:QueuePolicy": AwsType(
        id="{queueUrl}", immutable=paths("queueUrl"), refers={"queueUrl": To(QUEUE, "https://", blocks=False)}
    ),
}
