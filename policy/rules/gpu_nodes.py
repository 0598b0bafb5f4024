"""GPU nodes are tainted, so that only pods that mean GPUs land there, and labelled, so that the plugin finds its config."""

from __future__ import annotations

from collections.abc import Iterator

from gpu_slices.naming import CONFIG_LABEL, GPU_TAINT_EFFECT, GPU_TAINT_KEY, GPU_TAINT_VALUE, POOL_LABEL

from .nodes import KEEPS_AWAY, read_nodes
from .rule import Resource, ResourceRule, Scope


def tainted(resource: Resource, scope: Scope) -> Iterator[str]:
    """A taint with one of the configured keys and an effect that keeps pods away."""
    nodes = read_nodes(resource.type, resource.name, resource.inputs)
    if nodes is None or not nodes.gpu:
        return
    keys = tuple(scope.config["taintKeys"])
    if not any(nodes.taints.get(key) in KEEPS_AWAY for key in keys):
        example = f"{keys[0]}={GPU_TAINT_VALUE}:{GPU_TAINT_EFFECT}"
        yield f"GPU {nodes.kind} {nodes.name} has no taint that keeps other pods away: add {example}"


def labelled(resource: Resource, _scope: Scope) -> Iterator[str]:
    """The plugin's label and the one for pods, which name the same pool."""
    nodes = read_nodes(resource.type, resource.name, resource.inputs)
    if nodes is None or not nodes.gpu:
        return
    config, pool = nodes.labels.get(CONFIG_LABEL), nodes.labels.get(POOL_LABEL)
    for label, value in ((CONFIG_LABEL, config), (POOL_LABEL, pool)):
        if not value:
            yield f"GPU {nodes.kind} {nodes.name} lacks the label {label}: add it with the pool's name"
    if config and pool and config != pool:
        yield f"GPU {nodes.kind} {nodes.name} names two pools: {CONFIG_LABEL}={config}, {POOL_LABEL}={pool}"


RULES = (
    ResourceRule(
        name="gpu-nodes-tainted",
        description="GPU nodes are tainted: pods that ask for no GPU must not fill them.",
        check=tainted,
        config={
            "taintKeys": {
                "type": "array",
                "description": "Taint keys that count.",
                "items": {"type": "string"},
                "minItems": 1,
                "default": [GPU_TAINT_KEY],
            }
        },
    ),
    ResourceRule(
        name="gpu-nodes-labelled",
        description="GPU nodes are labelled with their pool: the device plugin and pods find them by it.",
        check=labelled,
    ),
)
