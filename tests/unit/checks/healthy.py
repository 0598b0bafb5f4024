"""A cluster on which everything is as its plan says, to be made ill one thing at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gpu_slices.checks.snapshot import (
    Condition,
    ConfigMap,
    Node,
    NodeOverlay,
    NodePool,
    Pod,
    Quota,
    Requirement,
    Resources,
    Snapshot,
    Taint,
    Toleration,
    Workload,
)
from gpu_slices.checks.view import Plugin, View
from gpu_slices.plan import Plan, make_plan
from gpu_slices.pool_plan import PoolPlan
from gpu_slices.settings import parse, read_stack_file
from rehearsal.project import ROOT

READY = Condition(type="Ready", status="True")
TAINT = Taint(key="nvidia.com/gpu", value="true", effect="NoSchedule")
TOLERATION = Toleration(key="nvidia.com/gpu", operator="Exists", effect="NoSchedule")


def plan_of(stack: str) -> Plan:
    file = read_stack_file(ROOT / f"Pulumi.{stack}.yaml")
    return make_plan(parse(file.raw, stack=stack), stack=stack)


def healthy(plan: Plan) -> Snapshot:
    """One node of each pool's first type, its plugin pod, overlays, NodePools, quotas."""
    plugins = View(plan, Snapshot()).plugins
    nodes = {pool.name: _node(pool) for pool in plan.pools}
    return Snapshot(
        nodes=tuple(nodes.values()),
        pods=tuple(_plugin_pod(View(plan, Snapshot()).plugin_for(pool), nodes[pool.name].name) for pool in plan.pools),
        workloads=tuple(one for plugin in plugins for one in _daemons(plugin, len(nodes))),
        config_maps=tuple(
            ConfigMap(namespace=one.names.namespace, name=one.expected_map, data=dict(one.configs)) for one in plugins
        ),
        overlays=tuple(_overlay(one.overlay) for pool in plan.pools for one in pool.node_pools if one.overlay),
        node_pools=tuple(
            NodePool(name=name, limits={"cpu": "10"}, resources={"cpu": "4"}, conditions=(READY,))
            for name in [*(one.name for pool in plan.pools for one in pool.node_pools), *plan.settings.node_pools]
        ),
        quotas=tuple(
            Quota(
                namespace=tenant.name,
                name="gpu-slices",
                hard={f"requests.{name}": str(count) for name, count in tenant.quota.items()},
                used={},
            )
            for tenant in plan.tenants
        ),
    )


def _daemons(plugin: Plugin, nodes: int) -> tuple[Workload, ...]:
    daemon = Workload(
        kind="DaemonSet",
        namespace=plugin.names.namespace,
        name=plugin.names.plugin,
        wanted=nodes,
        updated=nodes,
        available=nodes,
        config_maps=(plugin.expected_map,),
        environment={"DEFAULT_CONFIG": "exclusive"},
        tolerations=(TOLERATION,),
    )
    return daemon, replace(daemon, name=plugin.names.feature_discovery)


def plugin_pod(plan: Plan, node: str, **fields: Any) -> Pod:
    return replace(_plugin_pod(View(plan, Snapshot()).plugins[0], node), **fields)


def _plugin_pod(plugin: Plugin, node: str) -> Pod:
    return Pod(
        namespace=plugin.names.namespace,
        name=f"{plugin.names.plugin}-{node[:5].strip('-')}",
        node=node,
        phase="Running",
        requests=Resources(pods=1),
        owner="DaemonSet",
        ready=True,
    )


def slice_pod(node: str = "", **fields: Any) -> Pod:
    made = Pod(
        namespace="default",
        name="mine",
        node=node,
        phase="Running" if node else "Pending",
        requests=Resources(pods=1, extended={"nvidia.com/gpu": 1}),
        tolerations=(TOLERATION,),
    )
    return replace(made, **fields)


def _node(pool: PoolPlan) -> Node:
    shape = pool.shapes[0]
    shared = "-SHARED" if pool.replicas > 1 and pool.resource == "nvidia.com/gpu" else ""
    partitioned = {"nvidia.com/mig.config.state": "success"} if pool.mig_layout else {}
    return Node(
        name=f"{pool.name}0",
        labels={
            **pool.labels,
            **partitioned,
            "node.kubernetes.io/instance-type": shape.instance.name,
            "nvidia.com/gpu.product": f"{shape.instance.product}{shared}",
            "nvidia.com/gpu.memory": str(shape.instance.gpu_memory_mib),
            "nvidia.com/gpu.replicas": str(pool.replicas),
        },
        taints=(TAINT,),
        allocatable=Resources(
            millicpu=shape.instance.allocatable_millicpu,
            mebibytes=shape.instance.allocatable_mib,
            pods=shape.instance.pods,
            extended=dict(shape.advertised),
        ),
        capacity=dict(shape.advertised),
        conditions=(READY,),
        schedulable=True,
    )


def _overlay(planned: Any) -> NodeOverlay:
    return NodeOverlay(
        name=planned.node_pool,
        requirements=(
            Requirement(key="karpenter.sh/nodepool", operator="In", values=(planned.node_pool,)),
            Requirement(key="node.kubernetes.io/instance-type", operator="In", values=planned.instance_types),
        ),
        capacity={name: str(count) for name, count in planned.capacity.items()},
        weight=100,
        conditions=(READY,),
    )


def view(plan: Plan, snapshot: Snapshot) -> View:
    return View(plan, snapshot)
