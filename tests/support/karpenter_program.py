"""Karpenter in somebody else's program: a cluster made by other means, the component, and one pool that it serves.

Settings: `spot` (true or false), what stands for the add-ons and nodes that a drain needs, and the pool.
"""

from __future__ import annotations

import json
from pathlib import Path

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s

from components.karpenter import Karpenter, KarpenterArgs
from gpu_slices.iam.node import service_trust
from gpu_slices.kubeconfig import kubeconfig
from gpu_slices.settings.karpenter import Karpenter as KarpenterSettings

REGION = "us-west-2"
CONFIG = {"aws:region": REGION, "karp:spot": "true"}


def write_project(folder: Path) -> Path:
    """A folder with the Pulumi.yaml of this program."""
    folder.mkdir(exist_ok=True)
    (folder / "Pulumi.yaml").write_text(
        "name: karp\nruntime: python\nconfig:\n  spot: {type: boolean, default: true}\n"
    )
    return folder


def karpenter_program() -> None:
    """Declares everything."""
    cloud = aws.Provider("aws", region=REGION, default_tags={"tags": {"stack": "test"}})
    cluster = _cluster(pulumi.ResourceOptions(provider=cloud))
    inside = k8s.Provider(
        "kubernetes",
        kubeconfig=pulumi.Output.secret(
            pulumi.Output.all(cluster.name, cluster.endpoint, cluster.certificate_authority["data"], REGION).apply(
                lambda known: kubeconfig(*known)
            )
        ),
        cluster_identifier=cluster.arn,
    )
    dns = aws.eks.Addon(
        "dns", cluster_name=cluster.name, addon_name="coredns", opts=pulumi.ResourceOptions(provider=cloud)
    )
    karpenter = Karpenter(
        "karpenter",
        KarpenterArgs(
            cluster_name=cluster.name,
            region=REGION,
            settings=KarpenterSettings(),
            spot=pulumi.Config().require_bool("spot"),
            after=[dns],
        ),
        pulumi.ResourceOptions(providers=[cloud, inside]),
    )
    k8s.apiextensions.CustomResource(
        "pool",
        api_version="karpenter.sh/v1",
        kind="NodePool",
        metadata={"name": "pool"},
        spec={
            "template": {
                "spec": {
                    "requirements": [],
                    "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "pool"},
                }
            }
        },
        opts=pulumi.ResourceOptions(provider=inside, depends_on=[karpenter.release]),
    )
    pulumi.export("instanceProfile", karpenter.instance_profile_name)
    pulumi.export("nodeRole", karpenter.node_role_arn)
    pulumi.export("queue", karpenter.queue_name)
    pulumi.export("interruptions", karpenter.interruption_log_group_name)


def _cluster(own: pulumi.ResourceOptions) -> aws.eks.Cluster:
    vpc = aws.ec2.Vpc("net", cidr_block="10.0.0.0/16", opts=own)
    subnets = [
        aws.ec2.Subnet(
            f"net-{zone}",
            vpc_id=vpc.id,
            cidr_block=f"10.0.{number}.0/24",
            availability_zone=f"{REGION}{zone}",
            opts=own,
        )
        for number, zone in enumerate("ab")
    ]
    role = aws.iam.Role("cluster", assume_role_policy=json.dumps(service_trust("eks.amazonaws.com")), opts=own)
    return aws.eks.Cluster(
        "demo",
        name="demo",
        role_arn=role.arn,
        vpc_config={"subnet_ids": [subnet.id for subnet in subnets]},
        opts=own,
    )
