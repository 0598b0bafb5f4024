"""What AWS says of a cluster that is to be adopted, however it was asked: by an invoke of the program, or by boto3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

#: The add-on that hands AWS roles to pods.
POD_IDENTITY_AGENT: Final = "eks-pod-identity-agent"


@dataclass(frozen=True, kw_only=True)
class ClusterFacts:
    """One EKS cluster. `addons` maps those that were asked for to whether they are there; `vpc_subnets` are the ids of
    all subnets of its VPC."""

    name: str
    arn: str
    status: str
    version: str
    endpoint: str
    #: Base64, as EKS gives it.
    certificate_authority: str
    authentication_mode: str
    auto_mode: bool
    vpc_id: str
    vpc_subnets: frozenset[str]
    security_group_id: str
    public: bool
    private: bool
    public_cidrs: tuple[str, ...]
    addons: Mapping[str, bool]


def described(cluster: Mapping[str, Any], *, vpc_subnets: frozenset[str], addons: Mapping[str, bool]) -> ClusterFacts:
    """The facts in the answer of EKS's DescribeCluster; parts that a cluster is too old to have are empty."""
    vpc = cluster.get("resourcesVpcConfig") or {}
    return ClusterFacts(
        name=cluster["name"],
        arn=cluster.get("arn") or "",
        status=cluster.get("status") or "",
        version=cluster.get("version") or "",
        endpoint=cluster.get("endpoint") or "",
        certificate_authority=(cluster.get("certificateAuthority") or {}).get("data") or "",
        authentication_mode=(cluster.get("accessConfig") or {}).get("authenticationMode") or "CONFIG_MAP",
        auto_mode=bool((cluster.get("computeConfig") or {}).get("enabled")),
        vpc_id=vpc.get("vpcId") or "",
        vpc_subnets=vpc_subnets,
        security_group_id=vpc.get("clusterSecurityGroupId") or "",
        public=bool(vpc.get("endpointPublicAccess")),
        private=bool(vpc.get("endpointPrivateAccess")),
        public_cidrs=tuple(vpc.get("publicAccessCidrs") or ()),
        addons=addons,
    )
