"""Every tenant's namespace has a quota in GPUs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from gpu_slices.naming import TENANT_LABEL

from .rule import Resource, Scope, StackRule, Violation

NAMESPACE: Final = "kubernetes:core/v1:Namespace"
QUOTA: Final = "kubernetes:core/v1:ResourceQuota"
#: What a quota's key for a GPU resource starts with: `requests.nvidia.com/gpu`, `requests.nvidia.com/mig-1g.10gb`.
_GPU_REQUESTS: Final = "requests.nvidia.com/"


def quotas_present(resources: Sequence[Resource], _scope: Scope) -> Iterator[Violation]:
    """A namespace that carries the tenant label holds a ResourceQuota that limits a GPU resource."""
    limited = {_metadata(one).get("namespace") for one in resources if one.type == QUOTA and _limits_gpus(one)}
    for resource in resources:
        if resource.type != NAMESPACE or TENANT_LABEL not in (_metadata(resource).get("labels") or {}):
            continue
        name = _metadata(resource).get("name") or resource.name
        if name not in limited:
            words = f"tenant namespace {name} has no quota in GPUs: give it a ResourceQuota with {_GPU_REQUESTS}gpu"
            yield Violation(urn=resource.urn, words=words)


def _metadata(resource: Resource) -> Mapping[str, Any]:
    return resource.inputs.get("metadata") or {}


def _limits_gpus(quota: Resource) -> bool:
    hard = (quota.inputs.get("spec") or {}).get("hard") or {}
    return any(key.startswith(_GPU_REQUESTS) for key in hard)


RULES = (
    StackRule(
        name="tenant-quotas",
        description="Every tenant namespace has a quota in GPUs.",
        check=quotas_present,
    ),
)
