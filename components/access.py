"""Access entries: who may use the cluster, by EKS's own access policies and by Kubernetes groups."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_aws as aws

from gpu_slices.settings.cluster import Access

from .component import Component

_ACCESS_POLICIES: Final = {
    "cluster-admin": "AmazonEKSClusterAdminPolicy",
    "admin": "AmazonEKSAdminPolicy",
    "edit": "AmazonEKSEditPolicy",
    "view": "AmazonEKSViewPolicy",
}


def declare_access(owner: Component, name: str, cluster_name: pulumi.Input[str], access: Access) -> None:
    """The entry `name` of one person or role, and its policy where it has one."""
    entry = aws.eks.AccessEntry(
        name,
        cluster_name=cluster_name,
        principal_arn=access.principal_arn,
        kubernetes_groups=list(access.groups),
        opts=owner.child(),
    )
    if access.policy is None:
        return
    partition = aws.get_partition_output(opts=pulumi.InvokeOutputOptions(parent=owner)).partition
    aws.eks.AccessPolicyAssociation(
        f"{name}-policy",
        cluster_name=cluster_name,
        principal_arn=access.principal_arn,
        policy_arn=pulumi.Output.format(
            "arn:{0}:eks::aws:cluster-access-policy/{1}", partition, _ACCESS_POLICIES[access.policy]
        ),
        access_scope={
            "type": "namespace" if access.namespaces else "cluster",
            "namespaces": list(access.namespaces) or None,
        },
        opts=owner.child(depends_on=[entry]),
    )
