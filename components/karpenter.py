"""Karpenter: the identity of its nodes, its own, what it is told of interruptions, CRDs and controller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pulumi
import pulumi_aws as aws

from gpu_slices.charts.karpenter import KARPENTER_NAMESPACE, KARPENTER_SERVICE_ACCOUNT, releases
from gpu_slices.iam.karpenter import (
    ControllerScope,
    controller_policy_json,
    controller_policy_names,
    controller_trust,
)
from gpu_slices.settings.karpenter import Karpenter as KarpenterSettings

from .component import Component
from .disk_key import declare_grant
from .helm import declare_release
from .interruptions import Interruptions, InterruptionsArgs
from .node_role import declare_node_role


@dataclass(frozen=True, kw_only=True)
class KarpenterArgs:
    """The controller's settings and the cluster it works in.

    `spot` says whether any pool may launch spot nodes. `after` is what a drain needs as much as a launch: ways out of
    the network, the pod identity agent, system nodes, CoreDNS; a destroy takes them down after the controller.
    `log_retention_days` is how long interruptions can be looked up, `log_key_arn` the key of their log group.
    `disk_key_arn` is a customer's key for the nodes' disks, `digests` what images are pinned to.
    """

    cluster_name: pulumi.Input[str]
    region: str
    settings: KarpenterSettings
    spot: bool
    log_retention_days: int = 30
    log_key_arn: pulumi.Input[str] | None = None
    disk_key_arn: str | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    after: Sequence[pulumi.Resource] = ()


class Karpenter(Component):
    """Node role, instance profile and access entry; queue and rules; controller role; CRDs; controller.

    Pools depend on `release`: they come after everything here and go before any of it.
    """

    release: pulumi.CustomResource
    instance_profile_name: pulumi.Output[str]
    node_role_arn: pulumi.Output[str]
    queue_name: pulumi.Output[str]
    interruption_log_group_name: pulumi.Output[str]

    def __init__(self, name: str, args: KarpenterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        node_role, node_rights = declare_node_role(self, f"{name}-node")
        profile = aws.iam.InstanceProfile(f"{name}-node-profile", role=node_role.name, opts=self.child())
        may_join = aws.eks.AccessEntry(
            f"{name}-node-access",
            cluster_name=args.cluster_name,
            principal_arn=node_role.arn,
            type="EC2_LINUX",
            opts=self.child(),
        )
        interruptions = Interruptions(
            f"{name}-interruptions",
            InterruptionsArgs(
                cluster_name=args.cluster_name,
                log_retention_days=args.log_retention_days,
                log_key_arn=args.log_key_arn,
            ),
            self.child(),
        )
        identity = self._controller_identity(f"{name}-controller", args, node_role, interruptions.queue)
        crds, controller = releases(
            cluster_name=args.cluster_name,
            queue_name=interruptions.queue.name,
            region=args.region,
            settings=args.settings,
            digests=args.digests,
        )
        crd_release = declare_release(f"{name}-crds", crds, self.child())
        self.release = declare_release(
            f"{name}-release",
            controller,
            self.child(
                depends_on=[
                    crd_release,
                    *identity,
                    *node_rights,
                    profile,
                    may_join,
                    *interruptions.ways_in,
                    *args.after,
                ]
            ),
        )
        self.instance_profile_name = profile.name
        self.node_role_arn = node_role.arn
        self.queue_name = interruptions.queue.name
        self.interruption_log_group_name = interruptions.log_group_name
        self.register_outputs(
            {"instance_profile_name": self.instance_profile_name, "node_role_arn": self.node_role_arn}
        )

    def _controller_identity(
        self, name: str, args: KarpenterArgs, node_role: aws.iam.Role, queue: aws.sqs.Queue
    ) -> list[pulumi.Resource]:
        """The controller's role, its rights, and the association that gives it to the controller's pods."""
        role = aws.iam.Role(
            f"{name}-role", assume_role_policy=pulumi.Output.json_dumps(controller_trust()), opts=self.child()
        )
        scope = self._scope(args, node_role, queue)
        rights: list[pulumi.Resource] = []
        for word in controller_policy_names(spot=args.spot):
            policy = aws.iam.Policy(
                f"{name}-{word}", policy=scope.apply(partial(controller_policy_json, word)), opts=self.child()
            )
            rights.append(
                aws.iam.RolePolicyAttachment(
                    f"{name}-role-{word}", role=role.name, policy_arn=policy.arn, opts=self.child()
                )
            )
        if args.disk_key_arn:
            rights.append(declare_grant(self, f"{name}-disk-key", args.disk_key_arn, role.arn))
        association = aws.eks.PodIdentityAssociation(
            f"{name}-association",
            cluster_name=args.cluster_name,
            namespace=KARPENTER_NAMESPACE,
            service_account=KARPENTER_SERVICE_ACCOUNT,
            role_arn=role.arn,
            opts=self.child(),
        )
        return [*rights, association]

    def _scope(
        self, args: KarpenterArgs, node_role: aws.iam.Role, queue: aws.sqs.Queue
    ) -> pulumi.Output[ControllerScope]:
        here = pulumi.InvokeOutputOptions(parent=self)
        return pulumi.Output.all(
            partition=aws.get_partition_output(opts=here).partition,
            account=aws.get_caller_identity_output(opts=here).account_id,
            region=args.region,
            cluster_name=args.cluster_name,
            node_role_arn=node_role.arn,
            queue_arn=queue.arn,
            spot=args.spot,
        ).apply(_controller_scope)


def _controller_scope(known: dict[str, Any]) -> ControllerScope:
    return ControllerScope(**known)
