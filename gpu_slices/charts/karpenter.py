"""Karpenter: its CRDs by their own chart, and the controller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from ..images import NO_DIGESTS, pinned_values
from ..node_groups import SYSTEM_LABEL
from ..settings.karpenter import Karpenter
from ..versions import KARPENTER, KARPENTER_CRD
from .release import Release

#: The chart's priority class, system-cluster-critical, is meant for this namespace.
KARPENTER_NAMESPACE: Final = "kube-system"
KARPENTER_SERVICE_ACCOUNT: Final = "karpenter"

#: Two pods one after the other: image pull, leader election, readiness.
_TIMEOUT_SECONDS: Final = 600


def releases(
    *, cluster_name: Any, queue_name: Any, region: str, settings: Karpenter, digests: Mapping[str, str] = NO_DIGESTS
) -> tuple[Release, Release]:
    """CRDs, then the controller; in this order they are installed.

    `cluster_name` and `queue_name` are texts, or Outputs in the program. `digests`: image → sha256 to pin it to.
    """
    return (
        Release(
            name="karpenter-crd",
            pin=replace(KARPENTER_CRD, version=settings.version),
            namespace=KARPENTER_NAMESPACE,
            values={},
            timeout_seconds=_TIMEOUT_SECONDS,
        ),
        Release(
            name="karpenter",
            pin=replace(KARPENTER, version=settings.version),
            namespace=KARPENTER_NAMESPACE,
            values=pinned_values(KARPENTER.chart, _values(cluster_name, queue_name, region, settings), digests),
            timeout_seconds=_TIMEOUT_SECONDS,
            skip_crds=True,
        ),
    )


def _values(cluster_name: Any, queue_name: Any, region: str, settings: Karpenter) -> dict[str, Any]:
    """Left to the chart (1.14.1), and relied upon: one pod per node, spread over zones, never on a node of Karpenter's
    own; a disruption budget of one pod; priority system-cluster-critical; every other feature gate."""
    return {
        "replicas": settings.replicas,
        "logLevel": settings.log_level,
        "serviceAccount": {"name": KARPENTER_SERVICE_ACCOUNT},
        "nodeSelector": {SYSTEM_LABEL: "system"},
        "controller": {
            # The metadata service would tell the region too, but hop limit 1 keeps pods from it.
            "env": [{"name": "AWS_REGION", "value": region}],
            "resources": {
                "requests": {"cpu": settings.cpu, "memory": settings.memory},
                "limits": {"memory": settings.memory},
            },
        },
        "settings": {
            "clusterName": cluster_name,
            "interruptionQueue": queue_name,
            "featureGates": {"nodeOverlay": True},
        },
    }
