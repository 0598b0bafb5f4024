"""The EKS add-ons of a cluster: those that must come before the nodes, those after, and those that a stack asks for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .iam.addons import Where, fsx_policy
from .iam.disk_key import volume_key_policy
from .naming import insights_log_group_names
from .plan import Plan
from .settings.adopted_cluster import AdoptedCluster
from .settings.cluster import Cluster

Policy = Callable[[Where], Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Identity:
    """The role of an add-on's pods: their service account, AWS's own policies by name, and ours by word."""

    service_account: str
    managed: tuple[str, ...] = ()
    policies: Mapping[str, Policy] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Addon:
    """One EKS add-on. Without a version EKS takes its default at creation and keeps it.

    `log_groups` are those that it would otherwise open itself, for ever and with AWS's key.
    """

    name: str
    version: str | None
    #: JSON in the add-on's own schema.
    configuration: str | None = None
    identity: Identity | None = None
    log_groups: tuple[str, ...] = ()
    #: What becomes of the same thing where it is there without EKS: OVERWRITE takes it over, NONE refuses.
    on_conflict: str = "OVERWRITE"


#: Nodes become Ready only with these.
_BEFORE_NODES: Final = ("eks-pod-identity-agent", "kube-proxy", "vpc-cni")
#: These have pods to place.
_AFTER_NODES: Final = ("coredns", "metrics-server")
_CONFIGURATION: Final = {"vpc-cni": '{"enableNetworkPolicy": "true"}'}


def before_nodes(cluster: Cluster | AdoptedCluster) -> tuple[Addon, ...]:
    """Network, proxy and identity; of an adopted cluster only those that its settings name."""
    return _addons(_BEFORE_NODES, cluster)


def after_nodes(cluster: Cluster | AdoptedCluster) -> tuple[Addon, ...]:
    """DNS and metrics, likewise."""
    return _addons(_AFTER_NODES, cluster)


def optional(plan: Plan) -> tuple[Addon, ...]:
    """What `cluster.optionalAddons` names, sorted. Each is told by value what it would ask the metadata service."""
    return tuple(_OPTIONAL[name](plan) for name in sorted(set(plan.settings.cluster.optional_addons)))


def _addons(names: tuple[str, ...], cluster: Cluster | AdoptedCluster) -> tuple[Addon, ...]:
    versions, adopted = cluster.addons, isinstance(cluster, AdoptedCluster)
    return tuple(
        Addon(
            name=name,
            version=versions.get(name),
            configuration=_CONFIGURATION.get(name),
            on_conflict=_on_conflict(cluster),
        )
        for name in names
        if name in versions or not adopted
    )


def _on_conflict(cluster: Cluster | AdoptedCluster) -> str:
    """In a cluster of the stack's own nothing is there before; in an adopted one nothing is taken over."""
    return "NONE" if isinstance(cluster, AdoptedCluster) else "OVERWRITE"


def _ebs(plan: Plan) -> Addon:
    """AWS's policy for the driver reaches only volumes and snapshots that carry the driver's tags."""
    key = plan.settings.security.disk_kms_key_arn
    return _optional(
        plan,
        "aws-ebs-csi-driver",
        {"controller": {"region": plan.settings.region, "extraVolumeTags": dict(plan.tags)}},
        Identity(
            service_account="ebs-csi-controller-sa",
            managed=("service-role/AmazonEBSCSIDriverPolicy",),
            policies={"volume-key": lambda _: volume_key_policy(key)} if key else {},
        ),
    )


def _fsx(plan: Plan) -> Addon:
    return _optional(
        plan,
        "aws-fsx-csi-driver",
        {"controller": {"region": plan.settings.region}},
        Identity(service_account="fsx-csi-controller-sa", policies={"volumes": fsx_policy}),
    )


def _cloudwatch(plan: Plan) -> Addon:
    """Container Insights and container logs. EKS tells the add-on region and cluster; its pods are on the host's network.

    Its own DCGM exporter stays off (accelerated_compute_metrics): it would sit beside the GPU stack's on every node.
    AWS's policy for the agent is attached because its list follows the agent's versions.
    """
    kubernetes = {"enhanced_container_insights": True, "accelerated_compute_metrics": False}
    return _optional(
        plan,
        "amazon-cloudwatch-observability",
        {"agent": {"config": {"logs": {"metrics_collected": {"kubernetes": kubernetes}}}}},
        Identity(service_account="cloudwatch-agent", managed=("CloudWatchAgentServerPolicy",)),
        log_groups=insights_log_group_names(plan.settings.cluster.name),
    )


def _optional(
    plan: Plan, name: str, configuration: Mapping[str, Any], identity: Identity, log_groups: tuple[str, ...] = ()
) -> Addon:
    return Addon(
        name=name,
        version=plan.settings.cluster.addons.get(name),
        configuration=json.dumps(configuration, sort_keys=True),
        identity=identity,
        log_groups=log_groups,
        on_conflict=_on_conflict(plan.settings.cluster),
    )


_OPTIONAL: Final[Mapping[str, Callable[[Plan], Addon]]] = {
    "amazon-cloudwatch-observability": _cloudwatch,
    "aws-ebs-csi-driver": _ebs,
    "aws-fsx-csi-driver": _fsx,
}
