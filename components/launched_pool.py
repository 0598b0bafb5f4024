"""What Karpenter launches nodes from: the part that GPU pools and general pools share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi

from .component import Component
from .objects import declare

#: Beyond the grace period: Karpenter's own drain, and EC2 terminating the instance.
_TERMINATION_MINUTES: Final = 20


@dataclass(frozen=True, kw_only=True)
class LaunchedPoolArgs:
    """NodeClass, overlays and NodePools in the order to apply; what must be there first; the grace period in seconds."""

    objects: Sequence[Mapping[str, Any]]
    after: Sequence[pulumi.Resource]
    grace_seconds: int


class LaunchedPool(Component):
    """One after the other: NodePools must not launch before their NodeClass and overlays are there, and go first."""

    def __init__(self, name: str, args: LaunchedPoolArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        timeouts = pulumi.CustomTimeouts(delete=f"{args.grace_seconds // 60 + _TERMINATION_MINUTES}m")
        before: dict[str, list[pulumi.Resource]] = {}
        for manifest in args.objects:
            kind, word = manifest["kind"], manifest["metadata"]["name"]
            earlier = [one for other, several in before.items() if other != kind for one in several]
            resource = declare(
                f"{name}-{kind.lower()}-{word}",
                manifest,
                self.child(depends_on=[*args.after, *earlier], custom_timeouts=timeouts),
            )
            before.setdefault(kind, []).append(resource)
        self.register_outputs({})
