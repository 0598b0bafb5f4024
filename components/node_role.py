"""The role of EC2 nodes, for managed groups and Karpenter's nodes alike."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from gpu_slices.iam.node import NODE_POLICIES, managed_policy_arn, service_trust

from .component import Component


def declare_node_role(owner: Component, name: str) -> tuple[aws.iam.Role, list[aws.iam.RolePolicyAttachment]]:
    """The role `name`, whose own name AWS never sees twice, and its policies: what nodes must keep until they are gone.

    A fixed role name would lock nodes out after a re-creation: the old access entry means the role that is gone
    (aws/containers-roadmap#2631).
    """
    role = aws.iam.Role(
        name, assume_role_policy=pulumi.Output.json_dumps(service_trust("ec2.amazonaws.com")), opts=owner.child()
    )
    partition = aws.get_partition_output(opts=pulumi.InvokeOutputOptions(parent=owner)).partition
    attachments = [
        aws.iam.RolePolicyAttachment(
            f"{name}-{word}",
            role=role.name,
            policy_arn=pulumi.Output.all(partition, policy).apply(lambda known: managed_policy_arn(*known)),
            opts=owner.child(),
        )
        for word, policy in sorted(NODE_POLICIES.items())
    ]
    return role, attachments
