"""The EKS control plane: encrypted, logged, reachable by those named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_eks as eks
import pulumi_kubernetes as k8s

from gpu_slices.iam.cluster_key import cluster_key_policy_json
from gpu_slices.kubeconfig import kubeconfig
from gpu_slices.log_groups import log_group_names
from gpu_slices.naming import log_group_name
from gpu_slices.settings.cluster import Access, Cluster

from .access import declare_access
from .component import Component
from .network import NetworkRefs


@dataclass(frozen=True, kw_only=True)
class EksClusterArgs:
    """Settings of the control plane, where it lives, and the AWS provider that the packaged component must use.

    `access` are the access entries by name; without it those of the settings.
    """

    cluster: Cluster
    region: str
    network: NetworkRefs
    aws_provider: aws.Provider
    access: Mapping[str, Access] | None = None


class EksCluster(Component):
    """Control plane, its key, its log group, access entries, and the Kubernetes provider for what runs in it."""

    cluster: eks.Cluster
    cluster_name: pulumi.Output[str]
    security_group_id: pulumi.Output[str]
    kubeconfig: pulumi.Output[str]
    provider: k8s.Provider
    #: The stack's own key, which the stack's log groups may use; None where it uses somebody else's for secrets.
    log_key_arn: pulumi.Output[str] | None

    def __init__(self, name: str, args: EksClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        settings = args.cluster
        partition = aws.get_partition_output(opts=pulumi.InvokeOutputOptions(parent=self)).partition
        own_key = None if settings.encryption.kms_key_arn else self._key(name, args, partition)
        log_group = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            name=log_group_name(settings.name),
            retention_in_days=settings.log_retention_days,
            kms_key_id=own_key.arn if own_key else None,
            opts=self.child(),
        )
        self.cluster = eks.Cluster(
            f"{name}-eks",
            name=settings.name,
            version=settings.version,
            vpc_id=args.network.vpc_id,
            private_subnet_ids=args.network.private_subnet_ids,
            skip_default_node_group=True,
            skip_default_security_groups=True,
            authentication_mode=eks.AuthenticationMode.API,
            encryption_config_key_arn=own_key.arn if own_key else settings.encryption.kms_key_arn,
            enabled_cluster_log_types=list(settings.logs),
            endpoint_private_access=settings.endpoint.private,
            endpoint_public_access=settings.endpoint.public,
            public_access_cidrs=list(settings.endpoint.public_cidrs) if settings.endpoint.public else None,
            create_oidc_provider=False,
            use_default_vpc_cni=True,
            kube_proxy_addon_options={"enabled": False},
            coredns_addon_options={"enabled": False},
            bootstrap_self_managed_addons=False,
            opts=self.child(providers=[args.aws_provider], depends_on=[log_group, *args.network.ways_out]),
        )
        control_plane = self.cluster.eks_cluster
        self.cluster_name = control_plane.name
        self.security_group_id = control_plane.vpc_config.cluster_security_group_id
        self.kubeconfig = pulumi.Output.secret(
            pulumi.Output.all(
                control_plane.name, control_plane.endpoint, control_plane.certificate_authority.data, args.region
            ).apply(lambda known: kubeconfig(*known))
        )
        self.provider = k8s.Provider(
            f"{name}-kubernetes",
            kubeconfig=self.kubeconfig,
            cluster_identifier=control_plane.arn,
            enable_server_side_apply=True,
            opts=self.child(),
        )
        for person, access in sorted((settings.access if args.access is None else args.access).items()):
            declare_access(self, f"{name}-access-{person}", self.cluster_name, access)
        self.log_key_arn = own_key.arn if own_key else None
        self.register_outputs({"cluster_name": self.cluster_name, "kubeconfig": self.kubeconfig})

    def _key(self, name: str, args: EksClusterArgs, partition: pulumi.Output[str]) -> aws.kms.Key:
        account = aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(parent=self)).account_id
        return aws.kms.Key(
            f"{name}-key",
            description=f"Kubernetes secrets and control-plane logs of {args.cluster.name}",
            enable_key_rotation=True,
            deletion_window_in_days=args.cluster.encryption.deletion_window_days,
            policy=pulumi.Output.all(partition, account, args.region, log_group_names(args.cluster.name)).apply(
                lambda known: cluster_key_policy_json(*known)
            ),
            opts=self.child(),
        )
