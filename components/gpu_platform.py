"""The whole platform of one stack, composed of the other components."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from gpu_slices import addons, charts, node_groups
from gpu_slices.manifests.gpu_stack import gpu_stack_objects
from gpu_slices.outputs import pool_outputs
from gpu_slices.plan import Plan
from gpu_slices.settings.cluster import ExistingNetwork

from .addons import Addons, AddonsArgs
from .component import Component
from .eks_cluster import EksCluster, EksClusterArgs
from .gpu_node_group import GpuNodeGroup
from .gpu_stack import GPU_STACKS, GpuStackArgs
from .network import Network, NetworkArgs, NetworkRefs
from .node_group import NodeGroupArgs
from .system_nodes import SystemNodes
from .tenant import Tenant, TenantArgs


@dataclass(frozen=True, kw_only=True)
class GpuPlatformArgs:
    """The plan of the stack."""

    plan: Plan


class GpuPlatform(Component):
    """Network, cluster, add-ons, nodes, GPU stack and tenants of one stack."""

    cluster_name: pulumi.Output[str]
    kubeconfig: pulumi.Output[str]
    pools: dict[str, dict[str, Any]]

    def __init__(self, name: str, args: GpuPlatformArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        plan = args.plan
        cloud = aws.Provider(
            f"{name}-aws", region=plan.settings.region, default_tags={"tags": dict(plan.tags)}, opts=self.child()
        )
        network = self._network(f"{name}-network", plan, cloud)
        cluster = EksCluster(
            f"{name}-cluster",
            EksClusterArgs(
                cluster=plan.settings.cluster, region=plan.settings.region, network=network, aws_provider=cloud
            ),
            self.child(providers=[cloud]),
        )
        versions = plan.settings.cluster.addons
        basics = Addons(
            f"{name}-basics",
            AddonsArgs(cluster_name=cluster.cluster_name, addons=addons.before_nodes(versions)),
            self.child(providers=[cloud]),
        )

        def nodes(spec: node_groups.NodeGroupSpec) -> NodeGroupArgs:
            return NodeGroupArgs(
                cluster=cluster.cluster,
                spec=spec,
                subnet_ids=network.private_subnet_ids,
                aws_provider=cloud,
                after=[basics, *network.ways_out],
            )

        system = SystemNodes(f"{name}-system", nodes(node_groups.system_nodes(plan)), self.child(providers=[cloud]))
        services = Addons(
            f"{name}-services",
            AddonsArgs(cluster_name=cluster.cluster_name, addons=addons.after_nodes(versions), after=[system]),
            self.child(providers=[cloud]),
        )
        inside = self.child(providers=[cluster.provider])
        for pool in plan.pools:
            GpuNodeGroup(
                f"{name}-{pool.name}", nodes(node_groups.gpu_node_group(plan, pool)), self.child(providers=[cloud])
            )
        (release,) = charts.releases(plan)
        GPU_STACKS[plan.settings.gpu_stack](
            f"{name}-{plan.settings.gpu_stack}",
            GpuStackArgs(objects=gpu_stack_objects(plan), release=release, after=[system, services]),
            inside,
        )
        for tenant in plan.tenants:
            Tenant(f"{name}-tenant-{tenant.name}", TenantArgs(tenant=tenant), inside)
        self.cluster_name = cluster.cluster_name
        self.kubeconfig = cluster.kubeconfig
        self.pools = pool_outputs(plan)
        self.register_outputs({"cluster_name": self.cluster_name})

    def _network(self, name: str, plan: Plan, cloud: aws.Provider) -> NetworkRefs:
        network = plan.settings.network
        if isinstance(network, ExistingNetwork) or plan.addresses is None:
            return _existing(network)
        args = NetworkArgs(
            cidr=network.cidr,
            addresses=plan.addresses,
            nat_per_zone=network.nat == "per-zone",
            cluster_name=plan.settings.cluster.name,
        )
        return Network(name, args, self.child(providers=[cloud])).refs


def _existing(network: Any) -> NetworkRefs:
    return NetworkRefs(
        vpc_id=network.vpc_id,
        private_subnet_ids=list(network.private_subnet_ids),
        public_subnet_ids=list(network.public_subnet_ids),
    )
