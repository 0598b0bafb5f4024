"""Nodes: do they show the slices of the plan, and if not, what is in between?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..naming import EXCLUSIVE_CONFIG, GPU_RESOURCE, GPU_TAINT_KEY
from ..pool_plan import NodeShape, PoolPlan
from .snapshot import Node, Taint
from .table import Cause, Check, Finding
from .view import Rule, View, counts, shape_of, sharing_in

_REPLICAS: Final = "nvidia.com/gpu.replicas"
_PRODUCT: Final = "nvidia.com/gpu.product"
_MEMORY: Final = "nvidia.com/gpu.memory"
#: Driver and firmware keep a little of a card's memory, so labels lie below EC2's figure (facts: L4 22888 of 24576).
_MEMORY_TOLERANCE: Final = 0.1
#: Taints that Kubernetes and its autoscalers put on a node by themselves, for a while.
_PASSING: Final = ("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/", "karpenter.sh/", "ebs.csi.aws.com/")

SLICES: Final = Check(
    name="slices",
    symptom="I set replicas and still see 1 GPU, or the old number",
    looks_at="every pool node's allocatable GPU resources, its config label, the config it names, the plugin's pod there",
    judged="allocatable equals the plan's count for the instance type, under the plan's resource name and no other",
    causes=(
        Cause(
            name="plugin-not-restarted",
            text="the config has the new count, but the plugin on the node read it before: nothing reloads a config",
            remedy="kubectl rollout restart daemonset {plugin} {discovery} -n {namespace}; this program rolls them by a "
            "checksum or a new config map name, so look for who edited the config map by hand",
        ),
        Cause(
            name="config-label-missing",
            text="the node has no label nvidia.com/device-plugin.config, so it got the fallback config: whole GPUs",
            remedy="kubectl label node {node} nvidia.com/device-plugin.config={pool} now; then run `pulumi up`: the node "
            "group or NodePool sets it from the moment a node joins",
        ),
        Cause(
            name="no-default-config",
            text="the operator's plugin has no default config and the node no config label: it runs with an empty "
            "config, which shares nothing and reports no error",
            remedy="set devicePlugin.config.default in the operator's values (this program does: run `pulumi up`), or label "
            "the node: kubectl label node {node} nvidia.com/device-plugin.config={pool}",
        ),
        Cause(
            name="config-label-differs",
            text="the node's config label names another pool's config",
            remedy="kubectl label --overwrite node {node} nvidia.com/device-plugin.config={pool}",
        ),
        Cause(
            name="config-key-unknown",
            text="the node's label names a config that the plugin's config map does not have: its init container fails",
            remedy="run `pulumi up` so that config map and pools agree; a pool that was removed under the operator "
            "belongs in retiredPools for one update",
        ),
        Cause(
            name="plugin-not-tolerating",
            text="the node has a taint that the device plugin does not tolerate, so no plugin pod runs there",
            remedy="take the taint {taint} off, or give plugin, GPU feature discovery and the NFD worker a toleration for it",
        ),
        Cause(
            name="plugin-absent",
            text="no device plugin pod runs on the node",
            remedy="kubectl get pods -n {namespace} -o wide; kubectl describe daemonset {plugin} -n {namespace}: node "
            "affinity wants nvidia.com/gpu.present or feature.node.kubernetes.io/pci-10de.present",
        ),
        Cause(
            name="plugin-crashing",
            text="the device plugin's pod on the node does not run",
            remedy="kubectl logs -n {namespace} {pod} --all-containers; `could not load NVML library` means an AMI "
            "without NVIDIA's driver",
        ),
        Cause(
            name="config-differs",
            text="the config on the cluster is not the plan's: the stack file was edited and not applied, or somebody "
            "edited the config map",
            remedy="pulumi up (pulumi preview --diff shows the difference first)",
        ),
        Cause(
            name="resource-renamed",
            text="the node shows its slices under another resource name; kubelet keeps the old name at 0",
            remedy="ask for the name that the plan says; a change of renameResource needs a pool of another name",
        ),
        Cause(
            name="gpu-unhealthy",
            text="kubelet counts devices of the node as unhealthy: capacity is there, allocatable is not (Xid errors, "
            "a fallen GPU)",
            remedy="kubectl logs -n {namespace} {pod} | grep -i -e unhealthy -e xid; replace the node: kubectl delete node "
            "{node} under Karpenter, else end the instance",
        ),
        Cause(
            name="count-differs",
            text="the node shows another count and every part in between looks right",
            remedy="kubectl describe node {node}; kubectl logs -n {namespace} {pod} --all-containers",
        ),
    ),
)

GPU_MODEL: Final = Check(
    name="gpu-model",
    symptom="Slices have less memory than planned, or the GPU is another",
    looks_at="GPU feature discovery's labels nvidia.com/gpu.product and gpu.memory, and the node's instance type",
    judged="product and memory are the catalogue's for the instance type, and the pool has that type",
    causes=(
        Cause(
            name="gpu-differs",
            text="the node's GPU is not the one that the catalogue gives for its instance type",
            remedy="correct gpus.json or instances.json in gpu_slices/catalogue: memory and price per slice follow from it",
        ),
        Cause(
            name="type-not-in-pool",
            text="the node's instance type is not one of the pool's",
            remedy="run `pulumi up`; EKS and Karpenter replace nodes of an older definition when they next drift or expire",
        ),
        Cause(
            name="no-gpu-labels",
            text="GPU feature discovery has not labelled the node",
            remedy="kubectl get pods -n {namespace} -o wide: feature discovery and the NFD worker must run on {node}; the "
            "NFD worker's default toleration misses the taint nvidia.com/gpu=true",
        ),
    ),
)

NODES_READY: Final = Check(
    name="nodes-ready",
    symptom="A GPU node is missing or NotReady",
    looks_at="nodes of each pool and their Ready condition; a node group's `min`",
    judged="a node group has at least `min` nodes; every node of a pool is Ready and takes pods",
    causes=(
        Cause(
            name="too-few-nodes",
            text="the node group has fewer nodes than its minimum: quota 0 for GPU instances, no capacity in the zones, "
            "or nodes that could not join",
            remedy="python -m gpu_slices preflight --stack {stack} tells the quota; aws eks describe-nodegroup shows the "
            "group's health issues",
        ),
        Cause(
            name="not-ready",
            text="the kubelet of the node does not report, or reports trouble",
            remedy="kubectl describe node {node}; a full disk is the usual cause with large images: raise diskGiB",
        ),
        Cause(
            name="cordoned",
            text="the node is cordoned: it takes no new pods",
            remedy="kubectl uncordon {node}, unless it is on its way out",
        ),
    ),
)

TAINTS: Final = Check(
    name="taints",
    symptom="Pods do not schedule on the GPU node though it has free slices",
    looks_at="taints of pool nodes",
    judged="no taint but nvidia.com/gpu, which plugin, monitoring and workloads tolerate",
    causes=(
        Cause(
            name="foreign-taint",
            text="the node has a taint that this platform's workloads do not tolerate",
            remedy="kubectl taint node {node} {key}-, or add the toleration to every workload of the pool",
        ),
    ),
)


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
    key = node.config_key
    default = view.plugin.environment.get("DEFAULT_CONFIG", "") if view.plugin else EXCLUSIVE_CONFIG
    pod = view.plugin_pod(node)
    keys = view.mounted.data if view.mounted else {}
    if not key and pool.config_key != (default or None):
        return ("config-label-missing", f"it runs {default}") if default else ("no-default-config", "")
    if key and key not in keys and view.mounted:
        return "config-key-unknown", f"label {key}, configs {', '.join(sorted(keys))}"
    if key and key != pool.config_key:
        return "config-label-differs", f"label {key}"
    if pod is None:
        return _no_plugin(view, node)
    if pod.waiting or not pod.ready:
        return "plugin-crashing", "; ".join(pod.waiting)
    if sharing_in(keys.get(pool.config_key, "")) != sharing_in(view.plan.plugin_configs[pool.config_key]):
        return "config-differs", f"config {pool.config_key}"
    return _count_differs(pool, node, shape)


def _no_plugin(view: View, node: Node) -> tuple[str, str]:
    hard = [one for one in node.taints if not _passes(one)]
    refused = [str(one) for one in hard if view.plugin and not view.plugin.tolerates(one)]
    return ("plugin-not-tolerating", ", ".join(refused)) if refused else ("plugin-absent", "")


def _count_differs(pool: PoolPlan, node: Node, shape: NodeShape) -> tuple[str, str]:
    shown, expected = node.allocatable.extended, sum(shape.advertised.values())
    if node.labels.get(_REPLICAS, str(pool.replicas)) != str(pool.replicas):
        return "plugin-not-restarted", f"it runs with {node.labels[_REPLICAS]} replicas"
    if any(count == expected for name, count in shown.items() if name not in shape.advertised):
        return "resource-renamed", ""
    if node.capacity.get(pool.resource, 0) > shown.get(pool.resource, 0):
        return "gpu-unhealthy", f"capacity {node.capacity[pool.resource]}"
    if shown.get(pool.resource, 0) % shape.instance.gpu_count == 0 and shown.get(pool.resource):
        return "plugin-not-restarted", ""
    return "count-differs", ""


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
    if known and product.removesuffix("-SHARED") != known:
        return f"{product} instead of {known} on {shape.instance.name}"
    if memory.isdigit() and abs(int(memory) - planned) > planned * _MEMORY_TOLERANCE:
        return f"{memory} MiB instead of {planned} MiB per GPU on {shape.instance.name}"
    return ""


def _nodes_ready(view: View) -> Iterator[Finding]:
    for pool in view.plan.pools:
        nodes, subject = view.nodes[pool.name], f"pool {pool.name}"
        least = pool.node_group.min if pool.node_group else 0
        if len(nodes) < least:
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
    pod, names = view.plugin_pod(node), view.names
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
