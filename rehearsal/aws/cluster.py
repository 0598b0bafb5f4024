"""EKS: control planes, add-ons, access, identities of pods."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

from rehearsal.aws.identity import KEY, ROLE
from rehearsal.aws.network import GROUP, SUBNET
from rehearsal.aws.table import AwsType, To, View, paths

CLUSTER = "aws:eks/cluster:Cluster"
ADDON = "aws:eks/addon:Addon"

EKS_ARN = "arn:aws:eks:{region}:{account}:"
_TO_CLUSTER = {"clusterName": To(CLUSTER, blocks=False)}

_LOG_TYPES = frozenset({"api", "audit", "authenticator", "controllerManager", "scheduler"})


#: EKS's own access policies (list-access-policies).
ACCESS_POLICIES = frozenset(
    f"arn:aws:eks::aws:cluster-access-policy/Amazon{name}Policy"
    for name in ("EKSAdmin", "EKSAdminView", "EKSClusterAdmin", "EKSEdit", "EKSView")
)


def _certificate() -> str:
    return base64.b64encode(b"-----BEGIN CERTIFICATE-----\nstand-in\n-----END CERTIFICATE-----\n").decode()


def _vpc_config(inputs: Mapping[str, Any], words: Mapping[str, str]) -> Mapping[str, Any]:
    defaults = {"endpointPrivateAccess": False, "endpointPublicAccess": True, "publicAccessCidrs": ["0.0.0.0/0"]}
    given = {name: value for name, value in (inputs.get("vpcConfig") or {}).items() if value is not None}
    return {**defaults, **given, "clusterSecurityGroupId": f"sg-{words['hex17']}"}


def _identities(_inputs: Mapping[str, Any], words: Mapping[str, str]) -> list[Any]:
    issuer = f"https://oidc.eks.{words['region']}.amazonaws.com/id/{words['hex32'].upper()}"
    return [{"oidcs": [{"issuer": issuer}]}]


def _zones(inputs: Mapping[str, Any], view: View) -> str | None:
    subnets = [view.find(SUBNET, subnet) for subnet in inputs["vpcConfig"]["subnetIds"]]
    if len({subnet["availabilityZone"] for subnet in subnets if subnet}) >= 2:
        return None
    return (
        "InvalidParameterException: Subnets specified must be in at least two different AZs "
        "(an EKS control plane needs two zones)"
    )


def _endpoint(inputs: Mapping[str, Any], _view: View) -> str | None:
    vpc = inputs["vpcConfig"]
    if vpc.get("endpointPublicAccess") is False and not vpc.get("endpointPrivateAccess"):
        return "InvalidParameterException: Private and public endpoint access cannot be both false"
    return None


def _logs(inputs: Mapping[str, Any], _view: View) -> str | None:
    unknown = sorted(set(inputs.get("enabledClusterLogTypes") or ()) - _LOG_TYPES)
    return f"InvalidParameterException: unknown log types {unknown}, use {sorted(_LOG_TYPES)}" if unknown else None


def _version(inputs: Mapping[str, Any], _view: View) -> str | None:
    version = inputs.get("version")
    if version is None or re.fullmatch(r"1\.\d\d", str(version)):
        return None
    return f"InvalidParameterException: unsupported Kubernetes version {version}"


def _access_policy(inputs: Mapping[str, Any], _view: View) -> str | None:
    arn = inputs["policyArn"]
    return None if arn in ACCESS_POLICIES else f"InvalidParameterException: there is no access policy {arn}"


def _pod_roles(inputs: Mapping[str, Any], view: View) -> str | None:
    """Roles that an add-on's pods are to have: they exist, and let EKS Pod Identity take and tag them."""
    for association in inputs.get("podIdentityAssociations") or ():
        role = view.find(ROLE, association["roleArn"])
        if role is None:
            return f"InvalidParameterException: Role provided in the request does not exist: {association['roleArn']}"
        trust = json.dumps(role["assumeRolePolicy"])
        if not all(word in trust for word in ("pods.eks.amazonaws.com", "sts:AssumeRole", "sts:TagSession")):
            return "InvalidParameterException: Trust policy of role is invalid for pods.eks.amazonaws.com"
    return None


def _latest(inputs: Mapping[str, Any], _words: Mapping[str, str]) -> str:
    return inputs.get("addonVersion") or "v1.0.0-eksbuild.1"


TYPES: dict[str, AwsType] = {
    CLUSTER: AwsType(
        id="{name}",
        arn=EKS_ARN + "cluster/{name}",
        named="name",
        immutable=paths(
            "name", "roleArn", "bootstrapSelfManagedAddons", "encryptionConfig", "outpostConfig",
            "accessConfig.bootstrapClusterCreatorAdminPermissions", "kubernetesNetworkConfig.ipFamily",
            "kubernetesNetworkConfig.serviceIpv4Cidr",
        ),
        unique=("name",),
        taken="ResourceInUseException",
        in_use="ResourceInUseException",
        refers={
            "roleArn": To(ROLE, "arn:", blocks=False),
            "vpcConfig.subnetIds": To(SUBNET, "subnet-"),
            "vpcConfig.securityGroupIds": To(GROUP, "sg-"),
            "encryptionConfig.provider.keyArn": To(KEY, "arn:", blocks=False),
        },
        outputs={
            "endpoint": "https://{HEX32}.gr7.{region}.eks.amazonaws.com",
            "certificateAuthority": {"data": _certificate()},
            "vpcConfig": _vpc_config,
            "identities": _identities,
            "platformVersion": "eks.1",
            "status": "ACTIVE",
            "createdAt": "2026-01-01T00:00:00Z",
        },
        longest=100,
        rules=(_zones, _endpoint, _logs, _version),
        handles=("name", "endpoint"),
    ),
    ADDON: AwsType(
        id="{clusterName}:{addonName}",
        arn=EKS_ARN + "addon/{clusterName}/{addonName}/{uuid}",
        immutable=paths("addonName", "clusterName"),
        unique=("clusterName", "addonName"),
        taken="ResourceInUseException",
        refers=_TO_CLUSTER,
        outputs={
            "addonVersion": _latest,
            "createdAt": "2026-01-01T00:00:00Z",
            "modifiedAt": "2026-01-01T00:00:00Z",
        },
        rules=(_pod_roles,),
    ),
    "aws:eks/accessEntry:AccessEntry": AwsType(
        id="{clusterName}:{principalArn}",
        immutable=paths("clusterName", "principalArn", "type"),
        unique=("clusterName", "principalArn"),
        taken="ResourceInUseException",
        refers={**_TO_CLUSTER, "principalArn": To(ROLE, "arn:", blocks=False)},
        outputs={
            "accessEntryArn": EKS_ARN + "access-entry/{clusterName}/role/{uuid}",
            "createdAt": "2026-01-01T00:00:00Z",
            "modifiedAt": "2026-01-01T00:00:00Z",
        },
        handles=("principalArn",),
    ),
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": AwsType(
        id="{clusterName}#{principalArn}#{policyArn}",
        immutable=paths("accessScope", "clusterName", "policyArn", "principalArn"),
        refers={**_TO_CLUSTER, "principalArn": To("aws:eks/accessEntry:AccessEntry", "arn:", blocks=False)},
        outputs={"associatedAt": "2026-01-01T00:00:00Z", "modifiedAt": "2026-01-01T00:00:00Z"},
        rules=(_access_policy,),
    ),
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": AwsType(
        id="a-{hex17}",
        immutable=paths("clusterName", "namespace", "serviceAccount"),
        unique=("clusterName", "namespace", "serviceAccount"),
        taken="ResourceInUseException",
        refers={**_TO_CLUSTER, "roleArn": To(ROLE, "arn:", blocks=False)},
        outputs={"associationId": "{id}", "associationArn": EKS_ARN + "podidentityassociation/{clusterName}/{id}"},
    ),
}  # fmt: skip
