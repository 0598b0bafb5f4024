"""What the program declares for each stack file that ships, recorded once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from rehearsal.answers import Declared
from rehearsal.recorder import Recording, record_stack

LAUNCH_TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
EKS_CLUSTER, MANAGED_NODES = "eks:index:Cluster", "eks:index:ManagedNodeGroup"
ADDON = "aws:eks/addon:Addon"
KUBERNETES_PROVIDER, AWS_PROVIDER = "pulumi:providers:kubernetes", "pulumi:providers:aws"
RELEASE = "kubernetes:helm.sh/v3:Release"
NODE_CLASS, NODE_POOL = "kubernetes:karpenter.k8s.aws/v1:EC2NodeClass", "kubernetes:karpenter.sh/v1:NodePool"


@cache
def recording(stack: str) -> Recording:
    """The declarations of a stack file."""
    return record_stack(stack)


def objects_of(recorded: Recording) -> tuple[Declared, ...]:
    """Kubernetes objects that the program applies itself, Helm releases left out."""
    return tuple(one for one in recorded.resources if one.type.startswith("kubernetes:") and one.type != RELEASE)


def behind(recorded: Recording, resource: Declared) -> frozenset[str]:
    """URNs of everything that must exist before a resource, as the engine sees it.

    Its dependencies and its parent, what those wait for, and what lies inside a component that it waits for.
    """
    by_urn = recorded.by_urn
    inside: dict[str, list[str]] = {}
    for one in recorded.resources:
        inside.setdefault(one.parent, []).append(one.urn)
    found: set[str] = set()
    waiting = [*resource.dependencies, resource.parent]
    while waiting:
        urn = waiting.pop()
        if urn in found or urn not in by_urn:
            continue
        found.add(urn)
        one = by_urn[urn]
        waiting += [*one.dependencies, one.parent]
        if not one.custom and urn in resource.dependencies:
            waiting += inside.get(urn, [])
    return frozenset(found)


def strings(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text inside a value with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from strings(inner, f"{path}.{key}")
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            yield from strings(inner, f"{path}[{index}]")
