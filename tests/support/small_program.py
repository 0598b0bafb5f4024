"""A small program of the platform's shape: network, key, cluster, one node group, and objects in the cluster.

Settings: `replicas`, and what a test wants to go wrong (`subnetCidr`, `nodesMin`, `roleName`, `raise`).
"""

from __future__ import annotations

import json
from pathlib import Path

import pulumi
import pulumi_aws as aws
import pulumi_eks as eks
import pulumi_kubernetes as k8s

CONFIG = {"aws:region": "us-west-2", "small:replicas": 10}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}],
}


def write_project(folder: Path) -> Path:
    """A folder with the Pulumi.yaml of this program."""
    folder.mkdir(exist_ok=True)
    (folder / "Pulumi.yaml").write_text(
        "name: small\nruntime: python\nconfig:\n  replicas: {type: integer, default: 1}\n"
    )
    return folder


def small_program() -> None:
    """Declares everything."""
    config = pulumi.Config()
    if config.get("raise"):
        raise ValueError(config.require("raise"))
    provider = aws.Provider("aws", region="us-west-2", default_tags={"tags": {"stack": "test"}})
    own = pulumi.ResourceOptions(provider=provider)
    vpc = aws.ec2.Vpc("net", cidr_block="10.0.0.0/16", opts=own)
    subnets = [
        aws.ec2.Subnet(f"net-{zone}", vpc_id=vpc.id, cidr_block=cidr, availability_zone=f"us-west-2{zone}", opts=own)
        for zone, cidr in (("a", "10.0.0.0/24"), ("b", config.get("subnetCidr") or "10.0.1.0/24"))
    ]
    role = aws.iam.Role("nodes", name=config.get("roleName"), assume_role_policy=json.dumps(TRUST), opts=own)
    policy = "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"
    attachment = aws.iam.RolePolicyAttachment("nodes-worker", role=role.name, policy_arn=policy, opts=own)
    cluster = _cluster(vpc, subnets, provider)
    nodes = _nodes(cluster, subnets, role, provider, attachment, config.get_int("nodesMin") or 1)
    _objects(cluster, nodes, config.require_int("replicas"))
    pulumi.export("endpoint", cluster.eks_cluster.endpoint)
    pulumi.export("kubeconfig", pulumi.Output.secret(cluster.kubeconfig_json))


def _cluster(vpc: aws.ec2.Vpc, subnets: list[aws.ec2.Subnet], provider: aws.Provider) -> eks.Cluster:
    key = aws.kms.Key("key", description="Kubernetes secrets", opts=pulumi.ResourceOptions(provider=provider))
    return eks.Cluster(
        "demo",
        name="demo",
        version="1.35",
        vpc_id=vpc.id,
        private_subnet_ids=[subnet.id for subnet in subnets],
        skip_default_node_group=True,
        skip_default_security_groups=True,
        authentication_mode=eks.AuthenticationMode.API,
        encryption_config_key_arn=key.arn,
        enabled_cluster_log_types=["api", "audit"],
        endpoint_private_access=True,
        endpoint_public_access=True,
        public_access_cidrs=["192.0.2.0/24"],
        create_oidc_provider=False,
        use_default_vpc_cni=True,
        kube_proxy_addon_options={"enabled": False},
        coredns_addon_options={"enabled": False},
        bootstrap_self_managed_addons=False,
        opts=pulumi.ResourceOptions(providers=[provider]),
    )


def _nodes(
    cluster: eks.Cluster,
    subnets: list[aws.ec2.Subnet],
    role: aws.iam.Role,
    provider: aws.Provider,
    after: pulumi.Resource,
    least: int,
) -> eks.ManagedNodeGroup:
    template = aws.ec2.LaunchTemplate(
        "gpu",
        metadata_options={"http_tokens": "required", "http_put_response_hop_limit": 1},
        opts=pulumi.ResourceOptions(provider=provider),
    )
    return eks.ManagedNodeGroup(
        "gpu",
        cluster=cluster,
        cluster_name=cluster.eks_cluster.name,
        node_role_arn=role.arn,
        subnet_ids=[subnet.id for subnet in subnets],
        instance_types=["g6e.2xlarge"],
        ami_type="AL2023_x86_64_NVIDIA",
        scaling_config={"min_size": least, "desired_size": 1, "max_size": 1},
        taints=[{"key": "nvidia.com/gpu", "value": "true", "effect": "NO_SCHEDULE"}],
        launch_template={"id": template.id, "version": template.latest_version.apply(str)},
        ignore_scaling_changes=True,
        opts=pulumi.ResourceOptions(providers=[provider], depends_on=[after]),
    )


def _objects(cluster: eks.Cluster, nodes: eks.ManagedNodeGroup, replicas: int) -> None:
    provider = k8s.Provider(
        "kubernetes",
        kubeconfig=pulumi.Output.secret(cluster.kubeconfig_json),
        cluster_identifier=cluster.eks_cluster.arn,
    )
    own = pulumi.ResourceOptions(provider=provider)
    namespace = k8s.core.v1.Namespace("plugin", metadata={"name": "nvidia"}, opts=own)
    home = namespace.metadata["name"]
    k8s.core.v1.ConfigMap("slices", metadata={"namespace": home}, data={"replicas": str(replicas)}, opts=own)
    k8s.helm.v3.Release(
        "plugin",
        name="nvdp",
        chart="nvidia-device-plugin",
        version="0.20.0",
        repository_opts={"repo": "https://nvidia.github.io/k8s-device-plugin"},
        namespace=home,
        values={"config": {"map": {"l40s": f"replicas: {replicas}"}}},
        opts=pulumi.ResourceOptions(provider=provider, depends_on=[nodes]),
    )
