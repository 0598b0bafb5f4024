"""The `cluster` and `network` keys: the control plane, who may reach it, and where it lives."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from ..versions import DEFAULT_KUBERNETES, KUBERNETES_VERSIONS
from .base import Flag, Model, Positive, Text, refused
from .mistakes import did_you_mean, shown

#: EKS add-ons the program installs, in the order of facts: network first, the rest once nodes are there.
ADDON_NAMES: Final = ("coredns", "eks-pod-identity-agent", "kube-proxy", "metrics-server", "vpc-cni")
#: Those that a stack may ask for, each with its own Pod Identity role (gpu_slices/addons.py).
OPTIONAL_ADDON_NAMES: Final = ("amazon-cloudwatch-observability", "aws-ebs-csi-driver", "aws-fsx-csi-driver")
LOG_TYPES: Final = ("api", "audit", "authenticator", "controllerManager", "scheduler")
#: The retention periods that CloudWatch Logs accepts, in days (up to two years).
LOG_RETENTIONS: Final = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731)

_PRINCIPAL: Final = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:(user|role)/.+")
_ADDON_VERSION: Final = re.compile(r"v[0-9]+\.[0-9]+\.[0-9]+-eksbuild\.[0-9]+")
_KEY_ARN: Final = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/.+")


def _version(value: Any) -> str:
    if isinstance(value, float | int) and not isinstance(value, bool):
        raise refused(
            f"{shown(value)} is a number: YAML reads 1.30 as 1.3", f'write it in quotes: "{DEFAULT_KUBERNETES}"'
        )
    if value not in KUBERNETES_VERSIONS:
        known = ", ".join(f'"{version}"' for version in KUBERNETES_VERSIONS)
        raise refused(f"Kubernetes {shown(value)} is not supported here", f"write one of {known}")
    return value


def _cidr(value: str) -> str:
    try:
        return str(ipaddress.IPv4Network(value))
    except ValueError:
        raise refused(f"{value!r} is not an IPv4 range", 'write it like "10.0.0.0/16"') from None


def _vpc_cidr(value: str) -> str:
    network = ipaddress.IPv4Network(_cidr(value))
    if not 16 <= network.prefixlen <= 22:
        raise refused(f"a /{network.prefixlen} does not fit", "write a range from /16 (AWS's largest) to /22")
    return str(network)


def _cluster_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", value):
        raise refused(f"{value!r} is not an EKS cluster name", "use letters, digits, - and _, at most 100")
    return value


def _principal(value: str) -> str:
    if not _PRINCIPAL.fullmatch(value):
        raise refused(f"{value!r} is not an IAM user or role", "write an ARN like arn:aws:iam::123456789012:role/Name")
    return value


def _key_arn(value: str) -> str:
    if not _KEY_ARN.fullmatch(value):
        raise refused(f"{value!r} is not a KMS key", "write an ARN like arn:aws:kms:us-west-2:123456789012:key/ID")
    return value


def check_retention(value: int) -> int:
    """Days that CloudWatch Logs accepts."""
    if value not in LOG_RETENTIONS:
        raise refused(f"CloudWatch cannot keep logs for {value} days", f"write one of {LOG_RETENTIONS}")
    return value


def _addons(value: Any) -> Any:
    if isinstance(value, dict):
        for name in value:
            if name not in (known := ADDON_NAMES + OPTIONAL_ADDON_NAMES):
                raise refused(f"there is no add-on {shown(name)}", did_you_mean(str(name), known))
    return value


def _addon_version(value: str) -> str:
    if not _ADDON_VERSION.fullmatch(value):
        raise refused(f"{shown(value)} is not an exact version of an add-on", "write it like v1.20.4-eksbuild.2")
    return value


Cidr = Annotated[Text, AfterValidator(_cidr)]
OptionalAddon = Literal["amazon-cloudwatch-observability", "aws-ebs-csi-driver", "aws-fsx-csi-driver"]
KeyArn = Annotated[Text, AfterValidator(_key_arn)]
Principal = Annotated[Text, AfterValidator(_principal)]
ClusterName = Annotated[Text, AfterValidator(_cluster_name)]
RetentionDays = Annotated[Positive, AfterValidator(check_retention)]
AddonVersions = Annotated[dict[str, Annotated[Text, AfterValidator(_addon_version)]], BeforeValidator(_addons)]


class Endpoint(Model):
    """How the Kubernetes API is reached."""

    private: Flag = Field(default=True, description="Reachable from inside the VPC.")
    public: Flag = Field(default=True, description="Reachable from the Internet (IAM still decides who may in).")
    public_cidrs: tuple[Cidr, ...] = Field(
        default=("0.0.0.0/0",), description="Addresses that may reach the public endpoint."
    )


class Encryption(Model):
    """Encryption of Kubernetes secrets and control-plane logs."""

    kms_key_arn: KeyArn | None = Field(default=None, description="An existing key; without it the stack makes its own.")
    deletion_window_days: Annotated[Positive, Field(ge=7, le=30)] = Field(
        default=7, description="Days that the stack's own key can still be rescued after destroy."
    )


class Access(Model):
    """One person or role that may use the cluster: an EKS access policy, Kubernetes groups, or both."""

    principal_arn: Principal = Field(description="ARN of the IAM user or role.")
    policy: Literal["cluster-admin", "admin", "edit", "view"] | None = Field(
        default=None, description="EKS access policy; without it only the groups count."
    )
    namespaces: tuple[Text, ...] = Field(default=(), description="Limits the policy to these namespaces.")
    groups: tuple[Text, ...] = Field(default=(), description="Kubernetes groups for RBAC.")


class Cluster(Model):
    """The EKS control plane."""

    name: ClusterName = Field(
        default="", validate_default=False, description="Name of the EKS cluster; without it gpu-slices-<stack>."
    )
    version: Annotated[str, BeforeValidator(_version)] = Field(
        default=DEFAULT_KUBERNETES, description='Kubernetes minor version, in quotes: "1.35".'
    )
    endpoint: Endpoint = Field(default=Endpoint(), description="How the API is reached.")
    logs: tuple[Literal["api", "audit", "authenticator", "controllerManager", "scheduler"], ...] = Field(
        default=("api", "audit", "authenticator"), description="Control-plane logs to keep."
    )
    log_retention_days: RetentionDays = Field(default=30, description="Days that control-plane logs are kept.")
    encryption: Encryption = Field(default=Encryption(), description="Encryption of secrets and logs.")
    access: dict[str, Access] = Field(default={}, description="People and roles that may use the cluster, by name.")
    addons: AddonVersions = Field(
        default={}, description="Versions of EKS add-ons; one that is not named gets EKS's default at creation."
    )
    optional_addons: tuple[OptionalAddon, ...] = Field(
        default=(), description="Add-ons beside those every stack has: volumes on EBS or FSx, CloudWatch."
    )


class NewNetwork(Model):
    """A VPC made by the stack: one public and one private subnet per zone."""

    cidr: Annotated[Text, AfterValidator(_vpc_cidr)] = Field(default="10.0.0.0/16", description="Range of the VPC.")
    zones: tuple[Text, ...] = Field(default=(), description="Two to four availability zones; default: a and b.")
    nat: Literal["single", "per-zone"] = Field(
        default="single", description="One NAT gateway for all zones, or one in each."
    )


class ExistingNetwork(Model):
    """A VPC that is there already. Nothing in it is tagged or changed."""

    vpc_id: Annotated[Text, Field(pattern=r"^vpc-[0-9a-f]{8,17}$")] = Field(description="Id of the VPC.")
    private_subnet_ids: tuple[Annotated[Text, Field(pattern=r"^subnet-[0-9a-f]{8,17}$")], ...] = Field(
        min_length=2, description="Private subnets with a way out, in at least two zones; nodes live here."
    )
    public_subnet_ids: tuple[Annotated[Text, Field(pattern=r"^subnet-[0-9a-f]{8,17}$")], ...] = Field(
        default=(), description="Public subnets, for load balancers."
    )


#: Keys that only an existing network has: one of them decides which of the two a stack means.
EXISTING_NETWORK_KEYS: Final = frozenset({"vpcId", "privateSubnetIds", "publicSubnetIds"})


def _which_network(value: Any) -> str:
    if isinstance(value, ExistingNetwork):
        return "existing"
    return "existing" if isinstance(value, dict) and EXISTING_NETWORK_KEYS & set(value) else "new"


Network = Annotated[
    Annotated[NewNetwork, Tag("new")] | Annotated[ExistingNetwork, Tag("existing")], Discriminator(_which_network)
]
