"""Each component in somebody else's program: another project, no config, a provider of its own, nothing but its args."""

from __future__ import annotations

from collections.abc import Callable

import pulumi
import pulumi_aws as aws
import pulumi_eks as eks
import pulumi_kubernetes as k8s
import pytest

from components.addons import Addons, AddonsArgs
from components.admission import Admission, AdmissionArgs
from components.adopted_cluster import AdoptedCluster, AdoptedClusterArgs
from components.budget import Budget, BudgetArgs
from components.eks_cluster import EksCluster, EksClusterArgs
from components.gpu_node_group import GpuNodeGroup
from components.gpu_stack import DevicePlugin, GpuStackArgs
from components.monitoring import Monitoring, MonitoringArgs
from components.network import Network, NetworkArgs, NetworkRefs
from components.node_group import ExistingCluster, NodeGroupArgs
from components.security import Security, SecurityArgs
from components.storage import Storage, StorageArgs
from components.tenant import Tenant, TenantArgs
from components.workloads import Workloads, WorkloadsArgs
from gpu_slices import addons
from gpu_slices.adoption.facts import ClusterFacts
from gpu_slices.budget import plan_budget
from gpu_slices.charts import gpu_stack_releases, monitoring_releases
from gpu_slices.manifests.admission import admission_objects
from gpu_slices.manifests.gpu_stack import gpu_stack_objects
from gpu_slices.manifests.monitoring import monitoring_objects
from gpu_slices.manifests.storage import storage_objects
from gpu_slices.manifests.workloads import workload_objects
from gpu_slices.node_groups import gpu_node_group
from gpu_slices.settings.cluster import Access, Cluster
from gpu_slices.settings.security import Security as SecuritySettings
from gpu_slices.subnets import address_plan
from rehearsal.recorder import Recording, record
from tests.support.adoption import ADOPTED
from tests.support.stacks import plan_of

PLAN = plan_of(
    {
        "replicas": 4,
        "gpuNodeGroups": {"l40s": {"instanceType": "g6e.2xlarge"}},
        "tenants": {"team": {"slices": 2, "principals": ["arn:aws:iam::123456789012:role/Team"]}},
        "monitoring": {"enabled": True},
        "budget": {"monthlyUsd": 100, "emails": ["team@example.com"]},
        "workloads": {"tensorflow": {"pool": "l40s", "tenant": "team"}},
        "cluster": {"optionalAddons": ["aws-ebs-csi-driver", "aws-fsx-csi-driver"]},
    }
)
ROLE = "arn:aws:iam::123456789012:role/Emergency"
ADOPTING = plan_of(dict(ADOPTED))
FACTS = ClusterFacts(
    name="theirs",
    arn="arn:aws:eks:eu-central-1:123456789012:cluster/theirs",
    status="ACTIVE",
    version="1.34",
    endpoint="https://theirs",
    certificate_authority="YQ==",
    authentication_mode="API",
    auto_mode=False,
    vpc_id="vpc-0123456789abcdef0",
    vpc_subnets=frozenset(),
    security_group_id="sg-0123456789abcdef0",
    public=True,
    private=True,
    public_cidrs=("0.0.0.0/0",),
    addons={},
)
SUBNETS = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]


def foreign(program: Callable[[], None]) -> Recording:
    """What the program declares in a project without any setting, not even a region."""
    return record(program, project="their-project", stack="their-stack", config={})


def their_aws() -> aws.Provider:
    return aws.Provider("theirs", region="eu-central-1")


def their_kubernetes() -> k8s.Provider:
    return k8s.Provider("theirs", kubeconfig="{}")


def their_cluster(provider: aws.Provider) -> eks.Cluster:
    return eks.Cluster(
        "their-cluster",
        vpc_id="vpc-0123456789abcdef0",
        private_subnet_ids=SUBNETS,
        skip_default_node_group=True,
        skip_default_security_groups=True,
        authentication_mode=eks.AuthenticationMode.API,
        use_default_vpc_cni=True,
        kube_proxy_addon_options={"enabled": False},
        coredns_addon_options={"enabled": False},
        opts=pulumi.ResourceOptions(providers=[provider]),
    )


def network() -> None:
    args = NetworkArgs(
        cidr="10.7.0.0/16",
        addresses=address_plan("10.7.0.0/16", ["eu-central-1a", "eu-central-1b", "eu-central-1c"]),
        nat_per_zone=True,
        cluster_name="theirs",
    )
    refs = Network("part", args, pulumi.ResourceOptions(providers=[their_aws()])).refs
    pulumi.export("subnets", refs.private_subnet_ids)


def cluster() -> None:
    refs = NetworkRefs(vpc_id="vpc-0123456789abcdef0", private_subnet_ids=SUBNETS, public_subnet_ids=[])
    provider = their_aws()
    args = EksClusterArgs(
        cluster=Cluster(name="theirs"),
        region="eu-central-1",
        network=refs,
        aws_provider=provider,
        access=PLAN.access,
    )
    made = EksCluster("part", args, pulumi.ResourceOptions(providers=[provider]))
    pulumi.export("kubeconfig", made.kubeconfig)
    k8s.core.v1.Namespace("inside", opts=pulumi.ResourceOptions(provider=made.provider))


def node_group() -> None:
    provider = their_aws()
    args = NodeGroupArgs(
        cluster=their_cluster(provider),
        spec=gpu_node_group(PLAN, PLAN.pools[0]),
        subnet_ids=SUBNETS,
        aws_provider=provider,
    )
    GpuNodeGroup("part", args, pulumi.ResourceOptions(providers=[provider]))


def adopted_cluster() -> None:
    provider = their_aws()
    access = Access.model_validate({"principalArn": "arn:aws:iam::123456789012:role/Ops", "policy": "view"})
    args = AdoptedClusterArgs(facts=FACTS, region="eu-central-1", access={"ops": access})
    made = AdoptedCluster("part", args, pulumi.ResourceOptions(providers=[provider]))
    pulumi.export("kubeconfig", made.kubeconfig)
    k8s.core.v1.Namespace("inside", opts=pulumi.ResourceOptions(provider=made.provider))


def node_group_beside() -> None:
    provider = their_aws()
    args = NodeGroupArgs(
        cluster=ExistingCluster(name="theirs", version="1.34"),
        spec=gpu_node_group(ADOPTING, ADOPTING.pools[0]),
        subnet_ids=SUBNETS,
        aws_provider=provider,
    )
    GpuNodeGroup("part", args, pulumi.ResourceOptions(providers=[provider]))


def device_plugin() -> None:
    args = GpuStackArgs(objects=gpu_stack_objects(PLAN), releases=gpu_stack_releases(PLAN))
    DevicePlugin("part", args, pulumi.ResourceOptions(providers=[their_kubernetes()]))


def tenant() -> None:
    Tenant("part", TenantArgs(tenant=PLAN.tenants[0]), pulumi.ResourceOptions(providers=[their_kubernetes()]))


def admission() -> None:
    args = AdmissionArgs(objects=admission_objects(PLAN.admission))
    Admission("part", args, pulumi.ResourceOptions(providers=[their_kubernetes()]))


def workloads() -> None:
    args = WorkloadsArgs(objects=workload_objects(PLAN))
    Workloads("part", args, pulumi.ResourceOptions(providers=[their_kubernetes()]))


def monitoring() -> None:
    args = MonitoringArgs(objects=monitoring_objects(PLAN), releases=monitoring_releases(PLAN))
    Monitoring("part", args, pulumi.ResourceOptions(providers=[their_kubernetes()]))


def budget() -> None:
    planned = plan_budget(PLAN)
    assert planned
    Budget("part", BudgetArgs(budget=planned), pulumi.ResourceOptions(providers=[their_aws()]))


def security() -> None:
    provider = their_aws()
    args = SecurityArgs(
        settings=SecuritySettings.model_validate(
            {"flowLogs": "all", "breakGlassRoleArn": ROLE, "guardDuty": True, "securityHub": True}
        ),
        region="eu-central-1",
        name_of_cluster="theirs",
        cluster_name="theirs",
        cluster_security_group_id="sg-0123456789abcdef0",
        vpc_id="vpc-0123456789abcdef0",
        private_subnet_ids=SUBNETS,
        own_network=True,
    )
    Security("part", args, pulumi.ResourceOptions(providers=[provider]))


def optional_addons() -> None:
    args = AddonsArgs(cluster_name="theirs", addons=addons.optional(PLAN), region="eu-central-1")
    Addons("part", args, pulumi.ResourceOptions(providers=[their_aws()]))


def storage() -> None:
    args = StorageArgs(objects=storage_objects(PLAN))
    Storage("part", args, pulumi.ResourceOptions(providers=[their_kubernetes()]))


PROGRAMS = [
    network,
    cluster,
    node_group,
    adopted_cluster,
    node_group_beside,
    device_plugin,
    tenant,
    admission,
    workloads,
    monitoring,
    budget,
    security,
    optional_addons,
    storage,
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_it_works_with_nothing_but_its_args_and_stays_inside_itself(program):
    recorded = foreign(program)
    (part,) = [one for one in recorded.resources if one.name == "part"]
    assert part.type.startswith("gpu-slices:index:")
    assert part.closed
    inside = [one for one in recorded.resources if f"{part.type}$" in one.urn]
    assert inside
    assert all(one.name.startswith("part-") for one in inside)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_its_resources_use_the_provider_it_was_given(program):
    recorded = foreign(program)
    for one in recorded.resources:
        if one.custom and one.type.startswith(("aws:", "kubernetes:")):
            assert one.provider.split("::")[-2] in ("theirs", "part-kubernetes"), one.name


def test_a_network_per_zone_has_a_nat_gateway_in_each():
    recorded = foreign(network)
    assert len(recorded.of("aws:ec2/natGateway:NatGateway")) == 3
    assert len(recorded.outputs["subnets"]) == 3


def test_a_cluster_hands_out_a_provider_for_what_runs_in_it():
    recorded = foreign(cluster)
    (namespace,) = recorded.of("kubernetes:core/v1:Namespace", "inside")
    assert namespace.provider.split("::")[-2] == "part-kubernetes"
    assert recorded.outputs["kubeconfig"] == "[secret]"


def test_a_tenants_principal_is_let_into_the_cluster_with_the_group_that_its_namespace_binds():
    (entry,) = foreign(cluster).of("aws:eks/accessEntry:AccessEntry")
    (binding,) = foreign(tenant).of("kubernetes:rbac.authorization.k8s.io/v1:RoleBinding")
    assert entry.inputs["principalArn"] == "arn:aws:iam::123456789012:role/Team"
    assert entry.inputs["kubernetesGroups"] == [binding.inputs["subjects"][0]["name"]]


def test_a_node_group_joins_the_cluster_it_was_given():
    (group,) = foreign(node_group).of("aws:eks/nodeGroup:NodeGroup")
    assert group.inputs["clusterName"].startswith("their-cluster-")
    assert group.inputs["taints"] == [{"key": "nvidia.com/gpu", "value": "true", "effect": "NO_SCHEDULE"}]


def test_a_node_group_joins_a_cluster_that_pulumi_eks_did_not_make():
    (group,) = foreign(node_group_beside).of("aws:eks/nodeGroup:NodeGroup")
    assert (group.inputs["clusterName"], group.inputs["version"]) == ("theirs", "1.34")


def test_an_adopted_cluster_hands_out_a_provider_and_lets_people_in():
    recorded = foreign(adopted_cluster)
    (entry,) = recorded.of("aws:eks/accessEntry:AccessEntry")
    (namespace,) = recorded.of("kubernetes:core/v1:Namespace", "inside")
    assert (entry.inputs["clusterName"], namespace.provider.split("::")[-2]) == ("theirs", "part-kubernetes")
    assert recorded.outputs["kubeconfig"] == "[secret]"


def test_a_device_plugin_brings_its_namespace_and_the_pools_config():
    recorded = foreign(device_plugin)
    (release,) = recorded.of("kubernetes:helm.sh/v3:Release")
    (namespace,) = recorded.of("kubernetes:core/v1:Namespace")
    assert release.inputs["namespace"] == namespace.inputs["metadata"]["name"]
    assert "replicas: 4" in release.inputs["values"]["config"]["map"]["l40s"]


def test_a_tenant_brings_a_quota_in_slices():
    (quota,) = foreign(tenant).of("kubernetes:core/v1:ResourceQuota")
    assert quota.inputs["metadata"]["namespace"] == "team"
    assert quota.inputs["spec"]["hard"] == {"requests.nvidia.com/gpu": "2"}


def test_sample_workloads_bring_their_deployment_and_its_budget():
    recorded = foreign(workloads)
    (deployment,) = recorded.of("kubernetes:apps/v1:Deployment")
    (budget,) = recorded.of("kubernetes:policy/v1:PodDisruptionBudget")
    assert deployment.inputs["metadata"]["namespace"] == budget.inputs["metadata"]["namespace"] == "team"
    assert deployment.inputs["spec"]["replicas"] == 2


def test_monitoring_brings_its_namespace_dashboards_and_charts():
    recorded = foreign(monitoring)
    (namespace,) = recorded.of("kubernetes:core/v1:Namespace")
    releases = recorded.of("kubernetes:helm.sh/v3:Release")
    assert {one.inputs["chart"] for one in releases} == {"kube-prometheus-stack", "dcgm-exporter"}
    inside = [*releases, *(one for one in recorded.of("kubernetes:core/v1:ConfigMap"))]
    homes = {one.inputs.get("namespace") or one.inputs["metadata"]["namespace"] for one in inside}
    assert homes == {namespace.inputs["metadata"]["name"]}


def test_security_brings_what_was_chosen_each_in_a_part_of_its_own():
    parts = {one.type.rpartition(":")[2] for one in foreign(security).resources if not one.custom}
    assert parts >= {"FlowLogs", "GuardDuty", "SecurityHub"}


def test_an_add_ons_role_goes_to_its_service_account():
    made = {one.inputs["addonName"]: one.inputs for one in foreign(optional_addons).of("aws:eks/addon:Addon")}
    accounts = {name: one["podIdentityAssociations"][0]["serviceAccount"] for name, one in made.items()}
    assert accounts == {"aws-ebs-csi-driver": "ebs-csi-controller-sa", "aws-fsx-csi-driver": "fsx-csi-controller-sa"}
