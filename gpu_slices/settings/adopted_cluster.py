"""The other `cluster`: one that is there already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import Discriminator, Field, Tag

from .base import Model
from .cluster import Access, AddonVersions, Cluster, ClusterName, OptionalAddon, RetentionDays


class AdoptedCluster(Model):
    """A cluster that somebody else made. The stack adds to it; what is there stays as it is."""

    adopt: ClusterName = Field(description="Name of an EKS cluster that is there already.")
    access: dict[str, Access] = Field(
        default={}, description="People and roles to let in beside those who may already."
    )
    addons: AddonVersions = Field(
        default={}, description="EKS add-ons to add, with their versions: those that the cluster lacks."
    )
    optional_addons: tuple[OptionalAddon, ...] = Field(
        default=(), description="Add-ons beside those every cluster has: volumes on EBS or FSx, CloudWatch."
    )
    log_retention_days: RetentionDays = Field(default=30, description="Days that logs of what is added are kept.")

    @property
    def name(self) -> str:
        """The cluster's name."""
        return self.adopt


def _which_cluster(value: Any) -> str:
    adopted = isinstance(value, AdoptedCluster) or (isinstance(value, Mapping) and "adopt" in value)
    return "adopted" if adopted else "new"


AnyCluster = Annotated[
    Annotated[Cluster, Tag("new")] | Annotated[AdoptedCluster, Tag("adopted")], Discriminator(_which_cluster)
]

#: What only the adopted cluster decides: key → what is wrong with it beside `adopt`, and what to do.
DECIDED_BY_THE_CLUSTER: Final[Mapping[str, tuple[str, str]]] = {
    "name": ("the adopted cluster has its name", "remove it; adopt is the name"),
    "version": (
        "the adopted cluster has its Kubernetes version, which node groups here follow",
        "remove it; `aws eks update-cluster-version` moves the cluster",
    ),
    "endpoint": (
        "how the adopted cluster's API is reached was decided with it",
        "remove it; `aws eks update-cluster-config --resources-vpc-config` changes it",
    ),
    "logs": (
        "which control-plane logs the adopted cluster keeps is not this stack's to change",
        "remove it; `aws eks update-cluster-config --logging` changes it",
    ),
    "encryption": ("the adopted cluster's secrets have their key, or none, for good", "remove it"),
}
