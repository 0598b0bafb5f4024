"""What a judge is given: the plan beside the cluster, with each node under its pool."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import yaml

from .. import naming
from ..manifests.gpu_stack import plugin_config_map
from ..plan import Plan
from ..pool_plan import NodeShape, PoolPlan
from .snapshot import NODE_GROUP_LABEL, NODE_POOL_LABEL, ConfigMap, Node, Pod, Snapshot, Workload
from .table import Check, Finding


@dataclass(frozen=True, kw_only=True)
class StackNames:
    """What the chart of a `gpuStack` calls its DaemonSets (nvidia-device-plugin 0.20.0, gpu-operator v26.7.0)."""

    namespace: str
    plugin: str
    feature_discovery: str
    release: str


STACK_NAMES: Final[Mapping[str, StackNames]] = {
    "device-plugin": StackNames(
        namespace=naming.DEVICE_PLUGIN_NAMESPACE,
        plugin="nvidia-device-plugin",
        feature_discovery="nvidia-device-plugin-gpu-feature-discovery",
        release="nvidia-device-plugin",
    ),
    "gpu-operator": StackNames(
        namespace=naming.GPU_OPERATOR_NAMESPACE,
        plugin="nvidia-device-plugin-daemonset",
        feature_discovery="gpu-feature-discovery",
        release="gpu-operator",
    ),
}


#: The chart's second release, for pools under MPS.
MPS_NAMES: Final = StackNames(
    namespace=naming.DEVICE_PLUGIN_NAMESPACE,
    plugin=naming.MPS_RELEASE,
    feature_discovery=f"{naming.MPS_RELEASE}-gpu-feature-discovery",
    release=naming.MPS_RELEASE,
)


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """One release of the device plugin: the configs that the plan gives it, and what the cluster has of it."""

    names: StackNames
    configs: Mapping[str, str]
    #: Name of the config map that the plan mounts.
    expected_map: str
    daemon: Workload | None
    #: The config map that its pods mount, where it exists.
    mounted: ConfigMap | None


@dataclass(frozen=True)
class View:
    """A plan and a snapshot of its cluster."""

    plan: Plan
    snapshot: Snapshot

    @property
    def names(self) -> StackNames:
        """Of the stack's GPU software."""
        return STACK_NAMES[self.plan.settings.gpu_stack]

    @cached_property
    def plugins(self) -> tuple[Plugin, ...]:
        """The stack's releases of the plugin: one, and one more for MPS pools under the stand-alone chart."""
        configs = self.plan.plugin_configs
        if self.plan.settings.gpu_stack == "gpu-operator":
            return (self._plugin(self.names, configs, str(plugin_config_map(self.plan)["metadata"]["name"])),)
        mps = {pool.config_key for pool in self.plan.pools if pool.strategy == "mps"}
        own = {key: text for key, text in configs.items() if key in mps}
        rest = {key: text for key, text in configs.items() if key not in mps}
        first = self._plugin(self.names, rest, f"{self.names.plugin}-configs")
        return (first, self._plugin(MPS_NAMES, own, f"{MPS_NAMES.plugin}-configs")) if own else (first,)

    @property
    def plugin(self) -> Workload | None:
        """The DaemonSet of the stack's first release of the plugin."""
        return self.plugins[0].daemon

    def plugin_for(self, pool: PoolPlan) -> Plugin:
        """The release of the plugin that the pool's nodes run."""
        return next(one for one in self.plugins if pool.config_key in one.configs)

    @cached_property
    def nodes(self) -> Mapping[str, tuple[Node, ...]]:
        """Pool → its nodes, found even where the pool's labels are missing."""
        found: dict[str, list[Node]] = {pool.name: [] for pool in self.plan.pools}
        for node in self.snapshot.nodes:
            name = self._pool_of(node)
            if name is not None:
                found[name].append(node)
        return {name: tuple(nodes) for name, nodes in found.items()}

    @cached_property
    def pods_on(self) -> Mapping[str, tuple[Pod, ...]]:
        """Node → the pods that hold something of it."""
        found: dict[str, list[Pod]] = {}
        for pod in self.snapshot.pods:
            if pod.holds:
                found.setdefault(pod.node, []).append(pod)
        return {name: tuple(pods) for name, pods in found.items()}

    def _plugin(self, names: StackNames, configs: Mapping[str, str], expected_map: str) -> Plugin:
        daemon = self.snapshot.workload(names.namespace, names.plugin)
        return Plugin(
            names=names,
            configs=configs,
            expected_map=expected_map,
            daemon=daemon,
            mounted=self._mounted(names, daemon) if daemon else None,
        )

    def _mounted(self, names: StackNames, daemon: Workload) -> ConfigMap | None:
        """The operator mounts a script beside the configs."""
        maps = {one.name: one for one in self.snapshot.config_maps if one.namespace == names.namespace}
        mounted = [name for name in daemon.config_maps if not name.endswith("-entrypoint")]
        return next((maps[name] for name in mounted if name in maps), None)

    def pool_nodes(self) -> Iterator[tuple[PoolPlan, Node]]:
        """Every node of every pool."""
        for pool in self.plan.pools:
            for node in self.nodes[pool.name]:
                yield pool, node

    def plugin_pod(self, node: Node) -> Pod | None:
        """The plugin's pod on a node."""
        return next((pod for pod in self.pods_on.get(node.name, ()) if self.is_plugin(pod)), None)

    def is_plugin(self, pod: Pod) -> bool:
        """Whether a pod is a device plugin's (not feature discovery's, whose names begin alike)."""
        name = pod.name.rpartition("-")[0]
        return pod.owner == "DaemonSet" and any(
            (pod.namespace, name) == (one.names.namespace, one.names.plugin) for one in self.plugins
        )

    def used(self, node: Node, resource: str) -> int:
        """How many of a resource the node's pods hold."""
        return sum(pod.requests.extended.get(resource, 0) for pod in self.pods_on.get(node.name, ()))

    def shown(self, node: Node, pool: PoolPlan) -> int:
        """How many slices of the pool a node offers, of all its resources."""
        return sum(node.allocatable.extended.get(resource, 0) for resource in pool.resources)

    def held(self, node: Node, pool: PoolPlan) -> int:
        """How many of them its pods hold."""
        return sum(self.used(node, resource) for resource in pool.resources)

    def _pool_of(self, node: Node) -> str | None:
        pools = {pool.name: pool for pool in self.plan.pools}
        if node.pool_label in pools:
            return node.pool_label
        launched = {one.name: pool.name for pool in self.plan.pools for one in pool.node_pools}
        if node.labels.get(NODE_POOL_LABEL) in launched:
            return launched[node.labels[NODE_POOL_LABEL]]
        group = node.labels.get(NODE_GROUP_LABEL, "")
        cluster = self.plan.settings.cluster.name
        matches = [
            pool.name
            for pool in self.plan.pools
            if pool.node_group
            and (group == pool.name or group.startswith(naming.node_group_prefix(cluster, pool.name)))
        ]
        return max(matches, key=len, default=None)


Judge = Callable[[View], Iterable[Finding]]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A row of the table and the function that judges it."""

    check: Check
    judge: Judge


def shape_of(pool: PoolPlan, node: Node) -> NodeShape | None:
    """What the plan says of the node's instance type; None for a type that the pool does not have."""
    return next((shape for shape in pool.shapes if shape.instance.name == node.instance_type), None)


def sharing_in(text: str) -> Any:
    """The sharing block of a plugin config, parsed; None where there is none, or where it is no YAML."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    return content.get("sharing") if isinstance(content, Mapping) else None


def counts(resources: Mapping[str, int]) -> str:
    """`10 nvidia.com/gpu`, or `no GPU`."""
    return ", ".join(f"{count} {name}" for name, count in sorted(resources.items()) if count) or "no GPU"
