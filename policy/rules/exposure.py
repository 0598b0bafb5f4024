"""Who may reach the Kubernetes API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from .rule import ENVIRONMENTS, Resource, ResourceRule, Scope

CLUSTER: Final = "aws:eks/cluster:Cluster"
#: What EKS opens a public endpoint to where nothing is said.
_EVERYBODY: Final = ("0.0.0.0/0",)


def closed_endpoint(resource: Resource, scope: Scope) -> Iterator[str]:
    """In the configured environments a public endpoint names the networks that it is for."""
    if resource.type != CLUSTER or scope.environment not in scope.config["closedIn"]:
        return
    vpc = resource.inputs.get("vpcConfig") or {}
    if vpc.get("endpointPublicAccess") is False:
        return
    open_to = [cidr for cidr in vpc.get("publicAccessCidrs") or _EVERYBODY if cidr.endswith("/0")]
    if open_to:
        yield (
            f"cluster {resource.inputs.get('name') or resource.name} answers everybody ({', '.join(open_to)}) in "
            f"environment {scope.environment}: name networks in cluster.endpoint.publicCidrs, or close the public endpoint"
        )


RULES = (
    ResourceRule(
        name="api-endpoint-closed",
        description="The Kubernetes API is not open to the whole internet in production.",
        check=closed_endpoint,
        config={
            **ENVIRONMENTS,
            "closedIn": {
                "type": "array",
                "description": "Environments in which the API endpoint must not be open to everybody.",
                "items": {"type": "string"},
                "default": ["production"],
            },
        },
    ),
)
