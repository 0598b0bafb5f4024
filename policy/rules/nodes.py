"""Reads groups of nodes: EKS managed node groups and Karpenter NodePools alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gpu_slices import catalogue
from gpu_slices.naming import CONFIG_LABEL

NODE_GROUP: Final = "aws:eks/nodeGroup:NodeGroup"
NODE_POOL: Final = "kubernetes:karpenter.sh/v1:NodePool"

#: How the two write down that a taint keeps pods away.
KEEPS_AWAY: Final = frozenset({"NO_SCHEDULE", "NO_EXECUTE", "NoSchedule", "NoExecute"})
_CATEGORY, _FAMILY, _TYPE = "instance-category", "instance-family", "node.kubernetes.io/instance-type"
#: The letters under which EC2 sells GPUs; Karpenter's `instance-category`.
_GPU_CATEGORIES: Final = frozenset({"g", "p"})


@dataclass(frozen=True, kw_only=True)
class Nodes:
    """What a group says of its nodes. `taints` maps key → effect; `tags` are AWS's, none for a NodePool."""

    kind: str
    name: str
    gpu: bool
    labels: Mapping[str, str]
    taints: Mapping[str, str]
    tags: Mapping[str, str]


def read_nodes(type_: str, name: str, inputs: Mapping[str, Any]) -> Nodes | None:
    """The nodes that a resource brings, or None for a resource that brings none."""
    if type_ == NODE_GROUP:
        return _node_group(name, inputs)
    return _node_pool(name, inputs) if type_ == NODE_POOL else None


def _node_group(name: str, inputs: Mapping[str, Any]) -> Nodes:
    types = inputs.get("instanceTypes") or ()
    labels = inputs.get("labels") or {}
    return Nodes(
        kind="node group",
        name=name,
        gpu=CONFIG_LABEL in labels or any(one in catalogue.load().instances for one in types) or _nvidia_image(inputs),
        labels=labels,
        taints=_taints(inputs),
        tags=inputs.get("tags") or {},
    )


def _node_pool(name: str, inputs: Mapping[str, Any]) -> Nodes:
    template = (inputs.get("spec") or {}).get("template") or {}
    spec, labels = template.get("spec") or {}, (template.get("metadata") or {}).get("labels") or {}
    return Nodes(
        kind="NodePool",
        name=(inputs.get("metadata") or {}).get("name") or name,
        gpu=CONFIG_LABEL in labels or any(_admits_gpus(one) for one in spec.get("requirements") or ()),
        labels=labels,
        taints=_taints(spec),
        tags={},
    )


def _taints(inputs: Mapping[str, Any]) -> dict[str, str]:
    """Key → effect; what says neither keeps nobody away."""
    return {taint.get("key") or "": taint.get("effect") or "" for taint in inputs.get("taints") or ()}


def _nvidia_image(inputs: Mapping[str, Any]) -> bool:
    return "NVIDIA" in (inputs.get("amiType") or "")


def _admits_gpus(requirement: Mapping[str, Any]) -> bool:
    """Whether a requirement asks for GPU instances by type, family, category or property."""
    key, values = requirement.get("key") or "", frozenset(requirement.get("values") or ())
    instances = catalogue.load().instances
    if requirement.get("operator") in ("NotIn", "DoesNotExist"):
        return False
    if key == _TYPE:
        return not values.isdisjoint(instances)
    if key.endswith(f"/{_FAMILY}"):
        return not values.isdisjoint(one.family for one in instances.values())
    if key.endswith(f"/{_CATEGORY}"):
        return not values.isdisjoint(_GPU_CATEGORIES)
    return "/instance-gpu-" in key
