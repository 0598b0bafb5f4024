"""What Karpenter is told about nodes that EC2 will take away, and where that is written down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

#: Seconds that a message waits for the controller: an interruption warning is worth nothing two minutes later.
QUEUE_RETENTION_SECONDS: Final = 300

#: The events that Karpenter 1.14's interruption controller reads: word for the rule → (source, detail type).
_EVENTS: Final[Mapping[str, tuple[str, str]]] = {
    "health": ("aws.health", "AWS Health Event"),
    "rebalance": ("aws.ec2", "EC2 Instance Rebalance Recommendation"),
    "reservation": ("aws.ec2", "EC2 Capacity Reservation Instance Interruption Warning"),
    "spot": ("aws.ec2", "EC2 Spot Instance Interruption Warning"),
    "state-change": ("aws.ec2", "EC2 Instance State-change Notification"),
}


def event_patterns() -> dict[str, dict[str, Any]]:
    """Word for the rule → EventBridge pattern. They match events of the whole account in the region; Karpenter
    ignores instances that are not its own."""
    return {word: {"source": [source], "detail-type": [detail_type]} for word, (source, detail_type) in _EVENTS.items()}


def interruption_log_group_name(cluster: str) -> str:
    """The log group that keeps the same events, so that a lost node can be explained after the message is gone."""
    return f"/aws/events/{cluster}/interruptions"
