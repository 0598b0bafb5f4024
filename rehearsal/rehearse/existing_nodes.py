"""The nodes of a cluster that was there before the stack, on the rehearsal's control plane."""

from __future__ import annotations

from typing import Final

from gpu_slices.plan import Plan
from gpu_slices.settings.adopted_cluster import AdoptedCluster
from rehearsal.cluster.control import Control

#: Nodes without GPUs that eksctl makes unless told otherwise.
_OTHER_NODES: Final = 2


def join_existing_nodes(control: Control, plan: Plan) -> None:
    """What an adopted cluster has by the stack file's word: GPU nodes that carry their pool's labels, and no taint.

    Nothing joins a cluster that the stack makes. Raises ClusterError.
    """
    settings = plan.settings
    if not isinstance(settings.cluster, AdoptedCluster):
        return
    others = settings.system_nodes.instance_type
    control.join_nodes(
        f"{settings.cluster.adopt}-others", instance_type=others, count=_OTHER_NODES, labels={}, taints=[]
    )
    for pool in plan.pools:
        if pool.existing:
            control.join_nodes(
                f"{settings.cluster.adopt}-{pool.name}",
                instance_type=pool.existing.instance_type,
                count=pool.existing.nodes,
                labels=dict(pool.labels),
                taints=[],
            )
