"""How far GPUs may be shared: so many slices per environment, and none on regulated pools."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gpu_slices.naming import CONFIG_LABEL, REGULATED_LABEL, REGULATED_TAG

from .environments import for_environment
from .nodes import Nodes, read_nodes
from .plugin_configs import shared_pools
from .rule import ENVIRONMENTS, Resource, ResourceRule, Scope, StackRule, Violation

_TRUE = "true"


def maximum_replicas(resource: Resource, scope: Scope) -> Iterator[str]:
    """No pool has more slices per GPU than its environment allows."""
    allowed = for_environment(scope.config["maxReplicas"], scope.environment)
    for shared in shared_pools(resource):
        if allowed is not None and shared.replicas > allowed:
            yield (
                f"pool {shared.pool} has {shared.replicas} slices per GPU, environment {scope.environment} allows "
                f"{allowed:.0f}: set replicas to {allowed:.0f} or less"
            )


def regulated_pools_are_whole(resources: Sequence[Resource], _scope: Scope) -> Iterator[Violation]:
    """A pool whose nodes say that they are regulated has whole GPUs, or MIG instances."""
    shared = {one.pool: one for resource in resources for one in shared_pools(resource)}
    for resource in resources:
        nodes = read_nodes(resource.type, resource.name, resource.inputs)
        if nodes is None or not is_regulated(nodes):
            continue
        found = shared.get(nodes.labels.get(CONFIG_LABEL, ""))
        if found:
            words = (
                f"pool {found.pool} is regulated, but its GPUs are shared by {found.strategy} among {found.replicas}: "
                f"{found.felt}; set replicas to 1, or use MIG"
            )
            yield Violation(urn=resource.urn, words=words)


def is_regulated(nodes: Nodes) -> bool:
    """By the label of the nodes, or by the tag of a node group."""
    return nodes.labels.get(REGULATED_LABEL) == _TRUE or nodes.tags.get(REGULATED_TAG) == _TRUE


RULES = (
    ResourceRule(
        name="maximum-replicas",
        description="GPUs are shared among no more slices than the environment allows.",
        check=maximum_replicas,
        config={
            **ENVIRONMENTS,
            "maxReplicas": {
                "type": "object",
                "description": "Environment to the most slices per GPU; `default` is for every other stack.",
                "additionalProperties": {"type": "integer", "minimum": 1},
                "default": {"production": 8, "default": 16},
            },
        },
    ),
    StackRule(
        name="regulated-pools-unshared",
        description="Pools that are marked regulated are not shared by time-slicing or MPS.",
        check=regulated_pools_are_whole,
    ),
)
