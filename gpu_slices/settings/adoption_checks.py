"""Rules around an adopted cluster: what it needs beside it, and what only it can have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from .adopted_cluster import AdoptedCluster
from .cluster import NewNetwork
from .effective import sharing_of, system_nodes_of
from .mistakes import Mistake
from .model import Settings

Check = Callable[[Settings], Iterator[Mistake]]


def _lives_in_its_own_network(settings: Settings) -> Iterator[Mistake]:
    if isinstance(settings.cluster, AdoptedCluster) and isinstance(settings.network, NewNetwork):
        yield Mistake(
            path="network",
            problem=f"the cluster {settings.cluster.adopt} lives in a VPC already, and its nodes with it: no new one",
            remedy="write vpcId and privateSubnetIds of that VPC (aws eks describe-cluster --name "
            f"{settings.cluster.adopt} --query cluster.resourcesVpcConfig)",
        )


def _existing_nodes_are_in_an_adopted_cluster(settings: Settings) -> Iterator[Mistake]:
    if not isinstance(settings.cluster, AdoptedCluster):
        for name in settings.existing_gpu_nodes:
            yield Mistake(
                path=f"existingGpuNodes.{name}",
                problem="a new cluster has no node that is there already",
                remedy="name the cluster under cluster.adopt, or make it a pool of gpuNodeGroups",
            )


def _existing_nodes_keep_their_layout(settings: Settings) -> Iterator[Mistake]:
    for name, pool in settings.existing_gpu_nodes.items():
        if sharing_of(settings, pool).strategy == "mig":
            yield Mistake(
                path=f"existingGpuNodes.{name}.sharing",
                problem="a MIG layout is a label of the node, and these nodes are not the stack's to label",
                remedy="make it a pool of gpuNodeGroups, or write another strategy here",
            )


def _pods_have_their_nodes(settings: Settings) -> Iterator[Mistake]:
    """What selects the stack's own system nodes; Karpenter has a rule of its own."""
    if system_nodes_of(settings) is not None:
        return
    for path, wanted in (("benchmark", settings.benchmark is not None), ("monitoring", settings.monitoring.enabled)):
        if wanted:
            yield Mistake(
                path=path,
                problem="its pods run on system nodes of the stack's own, and an adopted cluster gets none by itself",
                remedy="write systemNodes, such as {instanceType: m7i.large, desired: 2}",
            )


#: Check → keys that it interprets, as in checks.CHECKS.
ADOPTION_CHECKS: Mapping[Check, tuple[str, ...]] = {
    _lives_in_its_own_network: ("cluster.adopt", "network"),
    _existing_nodes_are_in_an_adopted_cluster: ("cluster.adopt",),
    _existing_nodes_keep_their_layout: ("existingGpuNodes", "sharing"),
    _pods_have_their_nodes: ("benchmark", "cluster.adopt", "monitoring"),
}
