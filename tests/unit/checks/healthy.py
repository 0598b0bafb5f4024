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
from gpu_slices.checks.view import STACK_NAMES, View
from gpu_slices.manifests.gpu_stack import plugin_config_map
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
    names = STACK_NAMES[plan.settings.gpu_stack]
    operator = plan.settings.gpu_stack == "gpu-operator"
    map_name = str(plugin_config_map(plan)["metadata"]["name"]) if operator else f"{names.plugin}-configs"
    nodes = tuple(_node(pool) for pool in plan.pools)
    plugin = Workload(
        kind="DaemonSet",
        namespace=names.namespace,
        name=names.plugin,
        wanted=len(nodes),
        updated=len(nodes),
        available=len(nodes),
        config_maps=(map_name,),
        environment={"DEFAULT_CONFIG": "exclusive"},
        tolerations=(TOLERATION,),
    )
    return Snapshot(
        nodes=nodes,
        pods=tuple(plugin_pod(plan, node.name) for node in nodes),
        workloads=(plugin, replace(plugin, name=names.feature_discovery)),
        config_maps=(ConfigMap(namespace=names.namespace, name=map_name, data=dict(plan.plugin_configs)),),
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


def plugin_pod(plan: Plan, node: str, **fields: Any) -> Pod:
    names = STACK_NAMES[plan.settings.gpu_stack]
    made = Pod(
        namespace=names.namespace,
        name=f"{names.plugin}-{node[:5].strip('-')}",
        node=node,
        phase="Running",
        requests=Resources(pods=1),
        owner="DaemonSet",
        ready=True,
    )
    return replace(made, **fields)


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
    return Node(
        name=f"{pool.name}0",
        labels={
            **pool.labels,
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
