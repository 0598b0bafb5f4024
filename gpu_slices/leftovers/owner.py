"""Whose things: how everything that a stack's cluster made can be told from everybody else's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..log_groups import log_group_names, log_group_names_beside
from ..settings import Settings
from ..settings.adopted_cluster import AdoptedCluster


@dataclass(frozen=True, kw_only=True)
class Owner:
    """One stack and its cluster. EKS keeps cluster names unique in an account and region."""

    stack: str
    cluster: str
    region: str
    #: Whether the cluster is somebody else's: then only what carries the stack's own tags is the stack's.
    adopted: bool = False

    def marks(self) -> tuple[Mapping[str, str], ...]:
        """Sets of tags; a thing that carries all of one set is the stack's.

        In order: the program; Karpenter, the EBS CSI driver and the cloud provider; the load balancer controller; the
        VPC CNI's network interfaces; EKS on nodes of managed groups. `shared` things are never the cluster's own.
        """
        own = {"gpu-slices:stack": self.stack, "gpu-slices:cluster": self.cluster}
        if self.adopted:
            return (own,)
        return (
            own,
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
        names = log_group_names_beside(self.cluster) if self.adopted else log_group_names(self.cluster)
        return tuple(sorted({name.rpartition("/")[0] + "/" for name in names}))


def owner_of(stack: str, settings: Settings) -> Owner:
    """The owner that a stack's settings describe."""
    adopted = isinstance(settings.cluster, AdoptedCluster)
    return Owner(stack=stack, cluster=settings.cluster.name, region=settings.region, adopted=adopted)


def tags_of(thing: Mapping[str, Any]) -> dict[str, str]:
    """Tags as AWS lists them, as a mapping; network interfaces call the list TagSet."""
    return {tag["Key"]: tag["Value"] for tag in thing.get("Tags") or thing.get("TagSet") or ()}
