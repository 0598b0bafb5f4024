"""Whose things: how everything that a stack's cluster made can be told from everybody else's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..log_groups import log_group_names


@dataclass(frozen=True, kw_only=True)
class Owner:
    """One stack and its cluster. EKS keeps cluster names unique in an account and region."""

    stack: str
    cluster: str
    region: str

    def marks(self) -> tuple[Mapping[str, str], ...]:
        """Sets of tags; a thing that carries all of one set is the stack's.

        In order: the program; Karpenter, the EBS CSI driver and the cloud provider; the load balancer controller; the
        VPC CNI's network interfaces; EKS on nodes of managed groups. `shared` things are never the cluster's own.
        """
        return (
            {"gpu-slices:stack": self.stack, "gpu-slices:cluster": self.cluster},
            {f"kubernetes.io/cluster/{self.cluster}": "owned"},
            {"elbv2.k8s.aws/cluster": self.cluster},
            {"cluster.k8s.amazonaws.com/name": self.cluster},
            {"eks:cluster-name": self.cluster},
        )

    def owns(self, tags: Mapping[str, str]) -> bool:
        """Whether a thing with these tags is the stack's."""
        return any(mark.items() <= tags.items() for mark in self.marks())

    def log_groups(self) -> tuple[str, ...]:
        """Starts of the names of the cluster's log groups; a name that only begins like the cluster's does not match.

        EKS opens its own group again when it writes after the stack has deleted it.
        """
        return tuple(sorted({name.rpartition("/")[0] + "/" for name in log_group_names(self.cluster)}))


def tags_of(thing: Mapping[str, Any]) -> dict[str, str]:
    """Tags as AWS lists them, as a mapping; network interfaces call the list TagSet."""
    return {tag["Key"]: tag["Value"] for tag in thing.get("Tags") or thing.get("TagSet") or ()}
