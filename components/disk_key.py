"""Grants of a customer's KMS key to those who launch machines with disks under it."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from gpu_slices.iam.disk_key import GRANT_OPERATIONS, auto_scaling_role_arn

from .component import Component


def declare_grant(owner: Component, name: str, key_arn: str, grantee: pulumi.Input[str]) -> aws.kms.Grant:
    """The grant `name`: its grantee may have EBS use the key."""
    return aws.kms.Grant(
        name,
        key_id=key_arn,
        grantee_principal=grantee,
        operations=list(GRANT_OPERATIONS),
        opts=owner.child(),
    )


class DiskKey(Component):
    """What managed node groups need of the key; Karpenter's own role gets its grant where the role is made."""

    def __init__(self, name: str, key_arn: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        here = pulumi.InvokeOutputOptions(parent=self)
        auto_scaling = pulumi.Output.all(
            aws.get_partition_output(opts=here).partition, aws.get_caller_identity_output(opts=here).account_id
        ).apply(lambda known: auto_scaling_role_arn(*known))
        declare_grant(self, f"{name}-auto-scaling", key_arn, auto_scaling)
        self.register_outputs({})
