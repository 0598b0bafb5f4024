"""The EKS add-ons of a cluster, in the two sets that must come before and after the nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Addon:
    """One EKS add-on. Without a version EKS takes its default at creation and keeps it."""

    name: str
    version: str | None
    #: JSON in the add-on's own schema.
    configuration: str | None = None


#: Nodes become Ready only with these.
_BEFORE_NODES: Final = ("eks-pod-identity-agent", "kube-proxy", "vpc-cni")
#: These have pods to place.
_AFTER_NODES: Final = ("coredns", "metrics-server")
_CONFIGURATION: Final = {"vpc-cni": '{"enableNetworkPolicy": "true"}'}


def before_nodes(versions: Mapping[str, str]) -> tuple[Addon, ...]:
    """Network, proxy and identity; `versions` maps add-on names to pinned versions."""
    return _addons(_BEFORE_NODES, versions)


def after_nodes(versions: Mapping[str, str]) -> tuple[Addon, ...]:
    """DNS and metrics."""
    return _addons(_AFTER_NODES, versions)


def _addons(names: tuple[str, ...], versions: Mapping[str, str]) -> tuple[Addon, ...]:
    return tuple(Addon(name=name, version=versions.get(name), configuration=_CONFIGURATION.get(name)) for name in names)
