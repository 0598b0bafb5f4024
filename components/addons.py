"""EKS add-ons. Several instances: what nodes need to become Ready, what needs nodes, what a stack asks for beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from gpu_slices.addons import Addon, Identity
from gpu_slices.iam.addons import Where, document_json
from gpu_slices.iam.karpenter import controller_trust
from gpu_slices.iam.node import managed_policy_arn

from .component import Component


@dataclass(frozen=True, kw_only=True)
class AddonsArgs:
    """Which add-ons, on which cluster, after what; how long and under which key their logs are kept, where they have any.

    `region` is needed by add-ons that have an identity.
    """

    cluster_name: pulumi.Input[str]
    addons: Sequence[Addon]
    after: Sequence[pulumi.Resource] = ()
    region: str = ""
    log_retention_days: int = 30
    log_key_arn: pulumi.Input[str] | None = None


class Addons(Component):
    """One aws.eks.Addon each, with its role and its log groups."""

    def __init__(self, name: str, args: AddonsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        for addon in args.addons:
            self._addon(f"{name}-{addon.name}", addon, args)
        self.register_outputs({})

    def _addon(self, name: str, addon: Addon, args: AddonsArgs) -> None:
        logs = [self._log_group(f"{name}-{group.rpartition('/')[2]}", group, args) for group in addon.log_groups]
        role, rights = self._role(name, addon.identity, args.region) if addon.identity else (None, [])
        aws.eks.Addon(
            name,
            cluster_name=args.cluster_name,
            addon_name=addon.name,
            addon_version=addon.version,
            configuration_values=addon.configuration,
            pod_identity_associations=(
                [{"role_arn": role.arn, "service_account": addon.identity.service_account}]
                if role and addon.identity
                else None
            ),
            resolve_conflicts_on_create=addon.on_conflict,
            resolve_conflicts_on_update="OVERWRITE",
            opts=self.child(depends_on=[*args.after, *logs, *rights]),
        )

    def _log_group(self, name: str, group: str, args: AddonsArgs) -> aws.cloudwatch.LogGroup:
        return aws.cloudwatch.LogGroup(
            name,
            name=group,
            retention_in_days=args.log_retention_days,
            kms_key_id=args.log_key_arn,
            opts=self.child(),
        )

    def _role(self, name: str, identity: Identity, region: str) -> tuple[aws.iam.Role, list[pulumi.Resource]]:
        """The role, and what must outlive the add-on's pods."""
        here = pulumi.InvokeOutputOptions(parent=self)
        partition = aws.get_partition_output(opts=here).partition
        where = pulumi.Output.all(
            partition=partition, account=aws.get_caller_identity_output(opts=here).account_id, region=region
        ).apply(lambda known: Where(**known))
        role = aws.iam.Role(
            f"{name}-role", assume_role_policy=pulumi.Output.json_dumps(controller_trust()), opts=self.child()
        )
        rights: list[pulumi.Resource] = [
            aws.iam.RolePolicyAttachment(
                f"{name}-role-{policy.rpartition('/')[2]}",
                role=role.name,
                policy_arn=pulumi.Output.all(partition, policy).apply(lambda known: managed_policy_arn(*known)),
                opts=self.child(),
            )
            for policy in identity.managed
        ]
        rights += [
            aws.iam.RolePolicy(
                f"{name}-role-{word}",
                role=role.name,
                policy=where.apply(lambda known, make=make: document_json(dict(make(known)))),
                opts=self.child(),
            )
            for word, make in sorted(identity.policies.items())
        ]
        return role, rights
