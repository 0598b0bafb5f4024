"""A cluster that somebody else made, as the rest of the platform needs it. Nothing of the cluster itself is declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from gpu_slices.adoption.facts import ClusterFacts
from gpu_slices.kubeconfig import kubeconfig
from gpu_slices.settings.cluster import Access

from .access import declare_access
from .component import Component


@dataclass(frozen=True, kw_only=True)
class AdoptedClusterArgs:
    """What AWS says of the cluster, its region, and who is to be let in beside those who may already."""

    facts: ClusterFacts
    region: str
    access: Mapping[str, Access]


class AdoptedCluster(Component):
    """Access entries that are added, and the Kubernetes provider for what runs in the cluster."""

    cluster_name: pulumi.Output[str]
    security_group_id: pulumi.Output[str]
    kubeconfig: pulumi.Output[str]
    provider: k8s.Provider
    #: Logs of what is added have CloudWatch's own encryption: the cluster's key is not this stack's to use.
    log_key_arn: pulumi.Output[str] | None = None

    def __init__(self, name: str, args: AdoptedClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        facts = args.facts
        self.cluster_name = pulumi.Output.from_input(facts.name)
        self.security_group_id = pulumi.Output.from_input(facts.security_group_id)
        self.kubeconfig = pulumi.Output.secret(
            kubeconfig(facts.name, facts.endpoint, facts.certificate_authority, args.region)
        )
        self.provider = k8s.Provider(
            f"{name}-kubernetes",
            kubeconfig=self.kubeconfig,
            cluster_identifier=facts.arn,
            enable_server_side_apply=True,
            opts=self.child(),
        )
        for person, access in sorted(args.access.items()):
            declare_access(self, f"{name}-access-{person}", self.cluster_name, access)
        self.register_outputs({"cluster_name": self.cluster_name, "kubeconfig": self.kubeconfig})
