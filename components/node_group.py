"""A managed node group on its own launch template: the part that system nodes and GPU nodes share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_aws as aws
import pulumi_eks as eks

from gpu_slices.node_groups import NodeGroupSpec

from .component import Component
from .node_role import declare_node_role

#: What the root volume is called on AL2023.
_ROOT_DEVICE: Final = "/dev/xvda"
#: gp3's baseline; it carries up to 750 MiB/s.
_GP3_IOPS: Final = 3000


@dataclass(frozen=True, kw_only=True)
class ExistingCluster:
    """A cluster that no program of ours made: its name, and the Kubernetes version that its nodes follow."""

    name: pulumi.Input[str]
    version: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class NodeGroupArgs:
    """A node group's plain data and the cluster it joins; `after` is what its nodes need to become Ready."""

    cluster: eks.Cluster | ExistingCluster
    spec: NodeGroupSpec
    subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]]
    aws_provider: aws.Provider
    after: Sequence[pulumi.Resource] = ()


class NodeGroup(Component):
    """Role, launch template and managed node group. Subclasses only give it a name of its own in the tree."""

    def __init__(self, name: str, args: NodeGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        spec = args.spec
        role, attachments = declare_node_role(self, f"{name}-role")
        template = self._launch_template(name, spec)
        same = {
            "node_group_name_prefix": spec.name_prefix,
            "ami_type": spec.ami_type,
            "release_version": spec.release_version,
            "instance_types": None if spec.capacity_block else [spec.instance_type],
            "capacity_type": spec.capacity_type,
            "scaling_config": {"min_size": spec.min, "desired_size": spec.desired, "max_size": spec.max},
            "launch_template": {"id": template.id, "version": template.latest_version.apply(str)},
            "labels": dict(spec.labels),
            "taints": [dict(taint) for taint in spec.taints],
            "subnet_ids": args.subnet_ids,
        }
        after = [*attachments, *args.after]
        if isinstance(args.cluster, ExistingCluster):
            # pulumi_eks's node group wants a cluster that pulumi_eks made.
            aws.eks.NodeGroup(
                f"{name}-nodes",
                cluster_name=args.cluster.name,
                node_role_arn=role.arn,
                version=spec.kubernetes_version or args.cluster.version,
                **same,
                opts=self.child(depends_on=after),
            )
        else:
            eks.ManagedNodeGroup(
                f"{name}-nodes",
                cluster=args.cluster,
                cluster_name=args.cluster.eks_cluster.name,
                node_role=role,
                version=spec.kubernetes_version,
                **same,
                opts=self.child(providers=[args.aws_provider], depends_on=after),
            )
        self.register_outputs({})

    def _launch_template(self, name: str, spec: NodeGroupSpec) -> aws.ec2.LaunchTemplate:
        return aws.ec2.LaunchTemplate(
            f"{name}-template",
            block_device_mappings=[
                {
                    "device_name": _ROOT_DEVICE,
                    "ebs": {
                        "volume_type": "gp3",
                        "volume_size": spec.disk_gib,
                        "throughput": spec.disk_throughput,
                        "iops": _GP3_IOPS,
                        "encrypted": "true",
                        "delete_on_termination": "true",
                        "kms_key_id": spec.disk_kms_key_arn,
                    },
                }
            ],
            metadata_options={
                "http_endpoint": "enabled",
                "http_tokens": "required",
                "http_put_response_hop_limit": 1,
                "instance_metadata_tags": "disabled",
            },
            tag_specifications=[
                {"resource_type": kind, "tags": dict(spec.tags)} for kind in ("instance", "network-interface", "volume")
            ],
            update_default_version=True,
            **_reserved(spec),
            opts=self.child(),
        )


def _reserved(spec: NodeGroupSpec) -> dict[str, Any]:
    """What ties a launch template to a capacity reservation; nothing for other groups."""
    if spec.reservation is None:
        return {}
    target = {"capacity_reservation_target": {"capacity_reservation_id": spec.reservation}}
    if not spec.capacity_block:
        return {"capacity_reservation_specification": target}
    return {
        "capacity_reservation_specification": target,
        "instance_market_options": {"market_type": "capacity-block"},
        "instance_type": spec.instance_type,
    }
