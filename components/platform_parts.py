"""The parts of the platform, one method each: what a part takes from the plan, and what it waits for.

A part that the plan does not have is declared by nobody: its method returns nothing, or an empty list.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws
import pulumi_eks as eks

from gpu_slices import addons, charts, node_groups
from gpu_slices.benchmark_plan import plan_benchmark
from gpu_slices.budget import plan_budget
from gpu_slices.cloud_refs import CloudRefs
from gpu_slices.manifests.admission import admission_objects
from gpu_slices.manifests.benchmark import benchmark_steps
from gpu_slices.manifests.gpu_stack import gpu_stack_objects
from gpu_slices.manifests.karpenter import general_pool_objects, gpu_pool_objects
from gpu_slices.manifests.monitoring import monitoring_objects
from gpu_slices.manifests.storage import storage_objects
from gpu_slices.manifests.workloads import workload_objects
from gpu_slices.plan import Plan
from gpu_slices.quantities import seconds
from gpu_slices.settings.adopted_cluster import AdoptedCluster as AdoptedClusterSettings
from gpu_slices.settings.cluster import ExistingNetwork, NewNetwork

from .addons import Addons, AddonsArgs
from .admission import Admission, AdmissionArgs
from .adopted_cluster import AdoptedCluster, AdoptedClusterArgs
from .adoption import adopted_facts
from .benchmark import Benchmark, BenchmarkArgs
from .budget import Budget, BudgetArgs
from .component import Component
from .disk_key import DiskKey
from .eks_cluster import EksCluster, EksClusterArgs
from .gpu_node_group import GpuNodeGroup
from .gpu_node_pool import GpuNodePool
from .gpu_stack import GPU_STACKS, GpuStack, GpuStackArgs
from .karpenter import Karpenter, KarpenterArgs
from .launched_pool import LaunchedPoolArgs
from .monitoring import Monitoring, MonitoringArgs
from .network import Network, NetworkArgs, NetworkRefs
from .node_group import ExistingCluster, NodeGroupArgs
from .node_pool import NodePool
from .security import Security, SecurityArgs
from .storage import Storage, StorageArgs
from .system_nodes import SystemNodes
from .tenant import Tenant, TenantArgs
from .workloads import Workloads, WorkloadsArgs

Resources = Sequence[pulumi.Resource]


class PlatformParts(Component):
    """What the platform is composed of; a subclass says in which order."""

    def __init__(self, name: str, plan: Plan, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._name = name
        self._plan = plan
        self._cloud = aws.Provider(
            f"{name}-aws", region=plan.settings.region, default_tags={"tags": dict(plan.tags)}, opts=self.child()
        )
        disk_key = plan.settings.security.disk_kms_key_arn
        self._disk_key = [DiskKey(f"{name}-disk-key", disk_key, self._in_cloud())] if disk_key else []

    def _in_cloud(self) -> pulumi.ResourceOptions:
        return self.child(providers=[self._cloud])

    def _in_cluster(self) -> pulumi.ResourceOptions:
        return self.child(providers=[self._cluster.provider])

    def _network_and_cluster(self) -> NetworkRefs:
        """The network, with the cluster in it; an adopted cluster is looked at before all else."""
        name, settings = f"{self._name}-cluster", self._plan.settings
        self._cluster: EksCluster | AdoptedCluster
        self._joined: eks.Cluster | ExistingCluster
        if isinstance(settings.cluster, AdoptedClusterSettings):
            options = pulumi.InvokeOptions(provider=self._cloud)
            facts = adopted_facts(self._plan, settings.cluster, options)
            adopted = AdoptedClusterArgs(facts=facts, region=settings.region, access=self._plan.access)
            self._cluster = AdoptedCluster(name, adopted, self._in_cloud())
            self._joined = ExistingCluster(name=facts.name, version=facts.version)
            return self._network()
        network = self._network()
        args = EksClusterArgs(
            cluster=settings.cluster,
            region=settings.region,
            network=network,
            aws_provider=self._cloud,
            access=self._plan.access,
        )
        self._cluster = made = EksCluster(name, args, self._in_cloud())
        self._joined = made.cluster
        return network

    def _system_nodes(self, network: NetworkRefs, basics: Resources) -> list[pulumi.Resource]:
        spec = node_groups.system_nodes(self._plan)
        if spec is None:
            return []
        return [SystemNodes(f"{self._name}-system", self._nodes(spec, network, basics), self._in_cloud())]

    def _network(self) -> NetworkRefs:
        settings = self._plan.settings
        if isinstance(settings.network, ExistingNetwork):
            return NetworkRefs.existing(settings.network)
        args = NetworkArgs(
            cidr=settings.network.cidr,
            addresses=self._plan.addresses,
            nat_per_zone=settings.network.nat == "per-zone",
            cluster_name=settings.cluster.name,
        )
        return Network(f"{self._name}-network", args, self._in_cloud()).refs

    def _addons(self, word: str, which: Sequence[addons.Addon], after: Resources) -> list[pulumi.Resource]:
        if not which:
            return []
        settings = self._plan.settings
        args = AddonsArgs(
            cluster_name=self._cluster.cluster_name,
            addons=which,
            after=after,
            region=settings.region,
            log_retention_days=settings.cluster.log_retention_days,
            log_key_arn=self._cluster.log_key_arn,
        )
        return [Addons(f"{self._name}-{word}", args, self._in_cloud())]

    def _gpu_node_groups(self, network: NetworkRefs, basics: Resources) -> list[GpuNodeGroup]:
        specs = {
            pool.name: node_groups.gpu_node_group(self._plan, pool) for pool in self._plan.pools if pool.node_group
        }
        return [
            GpuNodeGroup(f"{self._name}-{pool}", self._nodes(spec, network, basics), self._in_cloud())
            for pool, spec in specs.items()
        ]

    def _nodes(self, spec: node_groups.NodeGroupSpec, network: NetworkRefs, basics: Resources) -> NodeGroupArgs:
        return NodeGroupArgs(
            cluster=self._joined,
            spec=spec,
            subnet_ids=network.private_subnets(spec.subnets),
            aws_provider=self._cloud,
            after=[*basics, *self._disk_key, *network.ways_out],
        )

    def _security(self, network: NetworkRefs, after: Resources) -> None:
        settings = self._plan.settings
        if not settings.security.needs_component:
            return
        args = SecurityArgs(
            settings=settings.security,
            region=settings.region,
            name_of_cluster=settings.cluster.name,
            cluster_name=self._cluster.cluster_name,
            cluster_security_group_id=self._cluster.security_group_id,
            vpc_id=network.vpc_id,
            private_subnet_ids=network.private_subnet_ids,
            own_network=isinstance(settings.network, NewNetwork),
            log_key_arn=self._cluster.log_key_arn,
            after=after,
        )
        Security(f"{self._name}-security", args, self._in_cloud())

    def _storage(self, after: Resources) -> list[Storage]:
        classes = storage_objects(self._plan)
        if not classes:
            return []
        return [Storage(f"{self._name}-storage", StorageArgs(objects=classes, after=after), self._in_cluster())]

    def _gpu_stack(self, after: Resources) -> GpuStack:
        plan = self._plan
        return GPU_STACKS[plan.settings.gpu_stack](
            f"{self._name}-{plan.settings.gpu_stack}",
            GpuStackArgs(objects=gpu_stack_objects(plan), releases=charts.gpu_stack_releases(plan), after=after),
            self._in_cluster(),
        )

    def _admission(self) -> Admission:
        args = AdmissionArgs(objects=admission_objects(self._plan.admission))
        return Admission(f"{self._name}-admission", args, self._in_cluster())

    def _tenants(self) -> list[Tenant]:
        return [
            Tenant(f"{self._name}-tenant-{tenant.name}", TenantArgs(tenant=tenant), self._in_cluster())
            for tenant in self._plan.tenants
        ]

    def _monitoring(self, after: Resources) -> None:
        plan = self._plan
        if not plan.settings.monitoring.enabled:
            return
        args = MonitoringArgs(objects=monitoring_objects(plan), releases=charts.monitoring_releases(plan), after=after)
        Monitoring(f"{self._name}-monitoring", args, self._in_cluster())

    def _workloads(self, after: Resources) -> None:
        if self._plan.workloads:
            args = WorkloadsArgs(objects=workload_objects(self._plan), after=after)
            Workloads(f"{self._name}-workloads", args, self._in_cluster())

    def _benchmark(self, after: Resources) -> None:
        if benchmark := plan_benchmark(self._plan.settings, self._plan.pools):
            args = BenchmarkArgs(steps=benchmark_steps(benchmark), after=after)
            Benchmark(f"{self._name}-benchmark", args, self._in_cluster())

    def _budget(self) -> None:
        if budget := plan_budget(self._plan):
            Budget(f"{self._name}-budget", BudgetArgs(budget=budget), self._in_cloud())

    def _karpenter(self, after: Resources) -> Karpenter | None:
        plan = self._plan
        if not plan.karpenter:
            return None
        args = KarpenterArgs(
            cluster_name=self._cluster.cluster_name,
            region=plan.settings.region,
            settings=plan.settings.karpenter,
            spot=plan.spot,
            log_retention_days=plan.settings.cluster.log_retention_days,
            log_key_arn=self._cluster.log_key_arn,
            disk_key_arn=plan.settings.security.disk_kms_key_arn,
            digests=plan.settings.security.digests,
            after=after,
        )
        both = self.child(providers=[self._cloud, self._cluster.provider])
        return Karpenter(f"{self._name}-karpenter", args, both)

    def _launched_pools(self, karpenter: Karpenter, stack: GpuStack, network: NetworkRefs) -> list[GpuNodePool]:
        """The pools, each only once controller and plugin are there, and gone before them. Returns those with GPUs."""
        name, plan = self._name, self._plan
        refs = CloudRefs(
            instance_profile=karpenter.instance_profile_name,
            private_subnet_ids=list(network.private_subnet_ids),
            cluster_security_group_id=self._cluster.security_group_id,
            interruption_queue=karpenter.queue_name,
        )
        for general, pool in sorted(plan.settings.node_pools.items()):
            args = LaunchedPoolArgs(
                objects=general_pool_objects(plan, general, refs),
                after=[karpenter.release],
                grace_seconds=seconds(pool.termination_grace_period),
            )
            NodePool(f"{name}-{general}", args, self._in_cluster())
        made: list[GpuNodePool] = []
        for planned in plan.pools:
            if planned.launched:
                args = LaunchedPoolArgs(
                    objects=gpu_pool_objects(plan, planned, refs),
                    after=[karpenter.release, *stack.releases],
                    grace_seconds=seconds(planned.launched.termination_grace_period),
                )
                made.append(GpuNodePool(f"{name}-{planned.name}", args, self._in_cluster()))
        return made
