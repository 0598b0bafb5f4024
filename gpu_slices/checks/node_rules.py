"""Nodes: do they show the slices of the plan, and if not, what is in between?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..adoption.existing_nodes import candidates, label_words
from ..naming import EXCLUSIVE_CONFIG, GPU_RESOURCE, GPU_TAINT_KEY, MIG_LAYOUT_LABEL
from ..pool_plan import NodeShape, PoolPlan
from .node_rows import GPU_MODEL, NODES_READY, SLICES, TAINTS
from .snapshot import Node, Taint, Workload
from .table import Finding
from .view import Rule, View, counts, shape_of, sharing_in

_REPLICAS: Final = "nvidia.com/gpu.replicas"
_PRODUCT: Final = "nvidia.com/gpu.product"
_MEMORY: Final = "nvidia.com/gpu.memory"
_MIG_STATE: Final = "nvidia.com/mig.config.state"
#: Driver and firmware keep a little of a card's memory, so labels lie below EC2's figure (facts: L4 22888 of 24576).
_MEMORY_TOLERANCE: Final = 0.1
#: Taints that Kubernetes and its autoscalers put on a node by themselves, for a while.
_PASSING: Final = ("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/", "karpenter.sh/", "ebs.csi.aws.com/")


def _slices(view: View) -> Iterator[Finding]:
    for pool, node in view.pool_nodes():
        shape = shape_of(pool, node)
        subject = f"node {node.name}"
        if shape is None or not node.ready:
            yield SLICES.skipped(
                subject, "not Ready" if shape else f"{node.instance_type or 'its type'} is not the pool's"
            )
            continue
        shown = {name: count for name, count in node.allocatable.extended.items() if count}
        if shown == dict(shape.advertised):
            yield SLICES.passed(subject, counts(shown))
            continue
        cause, more = _why(view, pool, node, shape)
        seen = f"{counts(shown)} instead of {counts(shape.advertised)}{f' ({more})' if more else ''}"
        yield SLICES.failed(subject, seen, cause, **_details(view, pool, node), **({"taint": more} if more else {}))


def _why(view: View, pool: PoolPlan, node: Node, shape: NodeShape) -> tuple[str, str]:
    """The first thing that is wrong on the way from the plan to the node, and what was seen of it."""
    key, plugin = node.config_key, view.plugin_for(pool)
    default = plugin.daemon.environment.get("DEFAULT_CONFIG", "") if plugin.daemon else EXCLUSIVE_CONFIG
    pod = view.plugin_pod(node)
    keys = plugin.mounted.data if plugin.mounted else {}
    if not key and pool.config_key != (default or None):
        return ("config-label-missing", f"it runs {default}") if default else ("no-default-config", "")
    if key and key not in keys and plugin.mounted:
        return "config-key-unknown", f"label {key}, configs {', '.join(sorted(keys))}"
    if key and key != pool.config_key:
        return "config-label-differs", f"label {key}"
    if pod is None:
        return _no_plugin(plugin.daemon, node)
    if pod.waiting or not pod.ready:
        return "plugin-crashing", "; ".join(pod.waiting)
    if sharing_in(keys.get(pool.config_key, "")) != sharing_in(view.plan.plugin_configs[pool.config_key]):
        return "config-differs", f"config {pool.config_key}"
    return _count_differs(pool, node, shape)


def _no_plugin(daemon: Workload | None, node: Node) -> tuple[str, str]:
    hard = [one for one in node.taints if not _passes(one)]
    refused = [str(one) for one in hard if daemon and not daemon.tolerates(one)]
    return ("plugin-not-tolerating", ", ".join(refused)) if refused else ("plugin-absent", "")


def _count_differs(pool: PoolPlan, node: Node, shape: NodeShape) -> tuple[str, str]:
    shown, expected = node.allocatable.extended, sum(shape.advertised.values())
    if pool.strategy == "mig" and (wrong := _layout_differs(pool, node)):
        return wrong
    if pool.strategy != "mig" and node.labels.get(_REPLICAS, str(pool.replicas)) != str(pool.replicas):
        return "plugin-not-restarted", f"it runs with {node.labels[_REPLICAS]} replicas"
    if any(count == expected for name, count in shown.items() if name not in shape.advertised):
        return "resource-renamed", ""
    for name in pool.resources:
        if node.capacity.get(name, 0) > shown.get(name, 0):
            return "gpu-unhealthy", f"capacity {node.capacity[name]}"
    if shown.get(pool.resource, 0) % shape.instance.gpu_count == 0 and shown.get(pool.resource):
        return "plugin-not-restarted", ""
    return "count-differs", ""


def _layout_differs(pool: PoolPlan, node: Node) -> tuple[str, str] | None:
    """What stands between the plan's MIG layout and the GPUs of a node."""
    layout, state = node.labels.get(MIG_LAYOUT_LABEL, ""), node.labels.get(_MIG_STATE, "")
    if layout != pool.mig_layout:
        return "mig-layout-differs", f"label {layout or 'missing'}, planned {pool.mig_layout}"
    return None if state == "success" else ("mig-not-partitioned", f"state {state or 'unknown'}")


def _gpu_model(view: View) -> Iterator[Finding]:
    for pool, node in view.pool_nodes():
        subject, shape = f"node {node.name}", shape_of(pool, node)
        details = _details(view, pool, node)
        product, memory = node.labels.get(_PRODUCT, ""), node.labels.get(_MEMORY, "")
        if shape is None:
            seen = f"{node.instance_type or 'no instance type'}, the pool has {', '.join(pool.instance_types)}"
            yield GPU_MODEL.failed(subject, seen, "type-not-in-pool", **details)
        elif not product:
            yield GPU_MODEL.failed(subject, "no label nvidia.com/gpu.product", "no-gpu-labels", **details)
        elif wrong := _model_differs(shape, product, memory):
            yield GPU_MODEL.failed(subject, wrong, "gpu-differs", **details)
        else:
            yield GPU_MODEL.passed(subject, f"{product}, {memory} MiB")


def _model_differs(shape: NodeShape, product: str, memory: str) -> str:
    known, planned = shape.instance.product, shape.instance.gpu_memory_mib
    product = product.removesuffix("-SHARED")
    profile = shape.slices[0].profile
    # Under MIG strategy single the label is the instances'.
    if known and product not in (known, f"{known}-MIG-{profile}"):
        return f"{product} instead of {known} on {shape.instance.name}"
    if profile is None and memory.isdigit() and abs(int(memory) - planned) > planned * _MEMORY_TOLERANCE:
        return f"{memory} MiB instead of {planned} MiB per GPU on {shape.instance.name}"
    return ""


def _nodes_ready(view: View) -> Iterator[Finding]:
    for pool in view.plan.pools:
        nodes, subject = view.nodes[pool.name], f"pool {pool.name}"
        least = pool.node_group.min if pool.node_group else pool.standing_nodes
        if pool.existing and len(nodes) < least:
            yield NODES_READY.failed(
                subject,
                f"{len(nodes)} of {least} nodes",
                "nodes-unlabelled",
                node=" ".join(one.name for one in candidates(pool, view.snapshot.nodes)) or "NODE",
                labels=label_words(pool.labels),
            )
        elif len(nodes) < least:
            seen = f"{len(nodes)} nodes, at least {least} are wanted"
            yield NODES_READY.failed(subject, seen, "too-few-nodes", stack=view.plan.stack)
        elif not nodes:
            yield NODES_READY.skipped(
                subject, "nothing to verify: the pool has no node, Karpenter starts one for a pod"
            )
        else:
            yield NODES_READY.passed(subject, f"{len(nodes)} nodes")
        for node in nodes:
            if not node.ready:
                why = next((one.message for one in node.conditions if one.type == "Ready"), "")
                yield NODES_READY.failed(f"node {node.name}", why or "no Ready condition", "not-ready", node=node.name)
            elif not node.schedulable:
                yield NODES_READY.warned(f"node {node.name}", "cordoned", "cordoned", node=node.name)


def _taints(view: View) -> Iterator[Finding]:
    for _, node in view.pool_nodes():
        foreign = [one for one in node.taints if one.key != GPU_TAINT_KEY and not _passes(one)]
        for taint in foreign:
            yield TAINTS.failed(f"node {node.name}", str(taint), "foreign-taint", node=node.name, key=taint.key)
        if not foreign:
            yield TAINTS.passed(f"node {node.name}", ", ".join(map(str, node.taints)) or "none")


def _passes(taint: Taint) -> bool:
    return taint.effect == "PreferNoSchedule" or taint.key.startswith(_PASSING)


def _details(view: View, pool: PoolPlan, node: Node) -> dict[str, str]:
    pod, names = view.plugin_pod(node), view.plugin_for(pool).names
    return {
        "pool": pool.name,
        "node": node.name,
        "namespace": names.namespace,
        "plugin": names.plugin,
        "discovery": names.feature_discovery,
        "resource": pool.resource or GPU_RESOURCE,
        "pod": pod.name if pod else "POD",
    }


RULES: Final = (
    Rule(check=NODES_READY, judge=_nodes_ready),
    Rule(check=SLICES, judge=_slices),
    Rule(check=GPU_MODEL, judge=_gpu_model),
    Rule(check=TAINTS, judge=_taints),
)
