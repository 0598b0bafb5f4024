"""The whole platform of one stack: which part comes after which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi

from gpu_slices import addons
from gpu_slices.outputs import pool_outputs, tenant_outputs
from gpu_slices.plan import Plan

from .platform_parts import PlatformParts


@dataclass(frozen=True, kw_only=True)
class GpuPlatformArgs:
    """The plan of the stack."""

    plan: Plan


class GpuPlatform(PlatformParts):
    """Network, cluster, add-ons, nodes, GPU stack, Karpenter and tenants of one stack."""

    cluster_name: pulumi.Output[str]
    kubeconfig: pulumi.Output[str]
    pools: dict[str, dict[str, Any]]
    tenants: dict[str, dict[str, Any]]

    def __init__(self, name: str, args: GpuPlatformArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        plan = args.plan
        super().__init__(name, plan, opts)
        network = self._network_and_cluster()
        basics = self._addons("basics", addons.before_nodes(plan.settings.cluster), after=[])
        system = self._system_nodes(network, basics)
        services = self._addons("services", addons.after_nodes(plan.settings.cluster), after=system)
        self._security(network, after=system)
        drivers = self._addons("optional", addons.optional(plan), after=[*system, *services])
        disks = self._storage(after=drivers)
        groups = self._gpu_node_groups(network, basics)
        karpenter = self._karpenter(after=[*basics, *system, *services, *drivers, *network.ways_out])
        controller = [karpenter.release] if karpenter else []
        stack = self._gpu_stack(after=[*system, *services, *controller])
        pools = self._launched_pools(karpenter, stack, network) if karpenter else []
        rules = self._admission()
        tenants = self._tenants()
        self._monitoring(after=[*system, *services, *drivers, *disks, stack, *controller])
        self._workloads(after=[stack, *pools, *tenants, rules])
        self._benchmark(after=[stack, *services, *groups, *pools])
        self._budget()
        self.cluster_name = self._cluster.cluster_name
        self.kubeconfig = self._cluster.kubeconfig
        self.pools = pool_outputs(plan)
        self.tenants = tenant_outputs(plan)
        self.register_outputs({"cluster_name": self.cluster_name})
