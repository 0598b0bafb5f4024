"""IAM and KMS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rehearsal.aws.table import AwsType, Rule, To, View, paths

ROLE = "aws:iam/role:Role"
POLICY = "aws:iam/policy:Policy"
KEY = "aws:kms/key:Key"
OIDC = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"

_IAM = "arn:aws:iam::{account}:"

#: AWS's own policies that a cluster of this kind may attach, with their paths (IAM's managed policy reference).
MANAGED_POLICIES = frozenset(
    f"arn:aws:iam::aws:policy/{name}"
    for name in (
        "AmazonEC2ContainerRegistryPullOnly",
        "AmazonEC2ContainerRegistryReadOnly",
        "AmazonEKSBlockStoragePolicy",
        "AmazonEKSClusterPolicy",
        "AmazonEKSComputePolicy",
        "AmazonEKSLoadBalancingPolicy",
        "AmazonEKSNetworkingPolicy",
        "AmazonEKSServicePolicy",
        "AmazonEKSVPCResourceController",
        "AmazonEKSWorkerNodeMinimalPolicy",
        "AmazonEKSWorkerNodePolicy",
        "AmazonEKS_CNI_Policy",
        "AmazonSSMManagedInstanceCore",
        "AWSXrayWriteOnlyAccess",
        "CloudWatchAgentServerPolicy",
        "service-role/AmazonEBSCSIDriverPolicy",
        "service-role/AmazonEFSCSIDriverPolicy",
    )
)


def _document(*names: str) -> Rule:
    """The properties are policy documents: JSON objects with statements."""

    def rule(inputs: Mapping[str, Any], _view: View) -> str | None:
        for name in names:
            text = inputs.get(name)
            if text is None:
                continue
            try:
                document = json.loads(text)
            except ValueError:
                return f"MalformedPolicyDocument: {name} is not JSON"
            if not isinstance(document, dict) or not document.get("Statement"):
                return f"MalformedPolicyDocument: {name} has no Statement"
        return None

    return rule


def _size(name: str, limit: int) -> Rule:
    """IAM counts a document's characters without white space."""

    def rule(inputs: Mapping[str, Any], _view: View) -> str | None:
        size = sum(not sign.isspace() for sign in inputs.get(name) or "")
        return None if size <= limit else f"LimitExceeded: {name} is {size} characters long, {limit} are allowed"

    return rule


#: What a grant may allow (KMS API reference, CreateGrant).
_GRANT_OPERATIONS = frozenset(
    {
        "CreateGrant", "Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext", "GenerateDataKeyWithoutPlaintext", "GenerateMac", "GetPublicKey",
        "ReEncryptFrom", "ReEncryptTo", "RetireGrant", "Sign", "Verify", "VerifyMac",
    }
)  # fmt: skip


def _grant(inputs: Mapping[str, Any], view: View) -> str | None:
    """Grantees exist, service-linked roles of AWS's own apart: those are outside the stack."""
    unknown = sorted(set(inputs["operations"]) - _GRANT_OPERATIONS)
    if unknown:
        return f"ValidationException: unknown grant operations {unknown}"
    grantee = inputs["granteePrincipal"]
    if ":role/aws-service-role/" in grantee or view.find(ROLE, grantee):
        return None
    return f"InvalidArnException: An ARN in the specified grant is not valid: there is no role {grantee}"


def _known_policy(inputs: Mapping[str, Any], _view: View) -> str | None:
    arn = inputs["policyArn"]
    if not arn.startswith("arn:aws:iam::aws:") or arn in MANAGED_POLICIES:
        return None
    return f"NoSuchEntity: Policy {arn} does not exist or is not attachable."


def _service_name(inputs: Mapping[str, Any], _placeholders: Mapping[str, str]) -> str:
    service = inputs["awsServiceName"].split(".")[0].capitalize()
    return f"AWSServiceRoleFor{'EC2Spot' if service == 'Spot' else service}"


TYPES: dict[str, AwsType] = {
    ROLE: AwsType(
        id="{name}",
        arn=_IAM + "role/{name}",
        named="name",
        prefix="namePrefix",
        immutable=paths("name", "namePrefix", "path"),
        unique=("name",),
        taken="EntityAlreadyExists",
        in_use="DeleteConflict",
        outputs={"uniqueId": "AROA{HEX17}", "createDate": "2026-01-01T00:00:00Z"},
        longest=64,
        rules=(_document("assumeRolePolicy"), _size("assumeRolePolicy", 4096)),
        handles=("name",),
    ),
    POLICY: AwsType(
        id=_IAM + "policy/{name}",
        arn=_IAM + "policy/{name}",
        named="name",
        prefix="namePrefix",
        immutable=paths("name", "namePrefix", "path", "description"),
        unique=("name",),
        taken="EntityAlreadyExists",
        in_use="DeleteConflict",
        outputs={"policyId": "ANPA{HEX17}"},
        longest=128,
        rules=(_document("policy"), _size("policy", 6144)),
    ),
    "aws:iam/rolePolicy:RolePolicy": AwsType(
        id="{role}:{name}",
        named="name",
        prefix="namePrefix",
        immutable=paths("name", "namePrefix", "role"),
        refers={"role": To(ROLE)},
        rules=(_document("policy"), _size("policy", 10240)),
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": AwsType(
        id="{role}/{policyArn}",
        immutable=paths("policyArn", "role"),
        refers={"role": To(ROLE), "policyArn": To(POLICY, "arn:")},
        rules=(_known_policy,),
    ),
    "aws:iam/instanceProfile:InstanceProfile": AwsType(
        id="{name}",
        arn=_IAM + "instance-profile/{name}",
        named="name",
        prefix="namePrefix",
        immutable=paths("name", "namePrefix", "path"),
        unique=("name",),
        taken="EntityAlreadyExists",
        in_use="DeleteConflict",
        # Terraform takes a role out of its profiles before it deletes the role.
        refers={"role": To(ROLE, blocks=False)},
        outputs={"uniqueId": "AIPA{HEX17}", "createDate": "2026-01-01T00:00:00Z"},
        handles=("name",),
    ),
    "aws:iam/serviceLinkedRole:ServiceLinkedRole": AwsType(
        id=_IAM + "role/aws-service-role/{awsServiceName}/{hex8}",
        arn=_IAM + "role/aws-service-role/{awsServiceName}/{hex8}",
        immutable=paths("awsServiceName", "customSuffix"),
        unique=("awsServiceName",),
        taken="InvalidInput",
        outputs={"name": _service_name, "uniqueId": "AROA{HEX17}", "createDate": "2026-01-01T00:00:00Z"},
    ),
    OIDC: AwsType(
        id=_IAM + "oidc-provider/{host}",
        arn=_IAM + "oidc-provider/{host}",
        immutable=paths("url"),
        unique=("url",),
        taken="EntityAlreadyExists",
        of_account=True,
    ),
    KEY: AwsType(
        id="{uuid}",
        arn="arn:aws:kms:{region}:{account}:key/{id}",
        immutable=paths("customerMasterKeySpec", "customKeyStoreId", "keyUsage", "multiRegion"),
        outputs={"keyId": "{id}"},
        rules=(_document("policy"), _size("policy", 32768)),
        handles=("keyId",),
    ),
    "aws:kms/grant:Grant": AwsType(
        id="{keyId}:{hex32}",
        named="name",
        immutable=paths(
            "constraints", "grantCreationTokens", "granteePrincipal", "keyId", "name", "operations",
            "retiringPrincipal",
        ),
        outputs={"grantId": "{hex32}", "grantToken": "{hex32}"},
        rules=(_grant,),
    ),
    "aws:kms/alias:Alias": AwsType(
        id="{name}",
        arn="arn:aws:kms:{region}:{account}:{name}",
        named="name",
        prefix="namePrefix",
        name_before="alias/",
        immutable=paths("name", "namePrefix"),
        unique=("name",),
        taken="AlreadyExistsException",
        refers={"targetKeyId": To(KEY, "*", blocks=False)},
        outputs={"targetKeyArn": "arn:aws:kms:{region}:{account}:key/{targetKeyId}"},
    ),
}  # fmt: skip
