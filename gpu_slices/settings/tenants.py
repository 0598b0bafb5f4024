"""The keys about who uses the GPUs: `tenants`, and `admission` for what pods must keep to."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from ..namespaces import owner_of
from .base import Count, DnsLabel, Flag, Model, Text, refused, whole_number
from .cluster import Principal
from .mistakes import shown

PodSecurityLevel = Literal["restricted", "baseline"]
Enforcement = Literal["deny", "warn", "audit"]

#: Kubernetes keeps what is above for its own classes.
_HIGHEST_PRIORITY: Final = 1_000_000_000
_HIGHEST_PORT: Final = 65535


def _tenant_name(value: str) -> str:
    owner = owner_of(value)
    if owner is not None:
        raise refused(f"{shown(value)} is a system namespace, {owner}", "choose another name")
    return value


def _port(value: Any) -> int:
    port = whole_number(value)
    if not 1 <= port <= _HIGHEST_PORT:
        raise refused(f"{port} is no port", f"write a number from 1 to {_HIGHEST_PORT}")
    return port


def _priority(value: Any) -> int:
    number = whole_number(value)
    if abs(number) > _HIGHEST_PRIORITY:
        raise refused(f"a priority of {number} is Kubernetes' own", f"write at most {_HIGHEST_PRIORITY}")
    return number


def _range(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value))
    except ValueError:
        raise refused(f"{shown(value)} is not a range of addresses", 'write it like "10.0.0.0/16"') from None


TenantName = Annotated[DnsLabel, AfterValidator(_tenant_name)]
Port = Annotated[int, BeforeValidator(_port)]


class Egress(Model):
    """Addresses outside the namespace that a tenant's pods may open TCP connections to."""

    cidr: Annotated[Text, AfterValidator(_range)] = Field(description="Range of addresses; 0.0.0.0/0 is everywhere.")
    ports: tuple[Port, ...] = Field(default=(), description="TCP ports; without it all ports and protocols.")


class Priority(Model):
    """A PriorityClass of the tenant's own, named after its namespace."""

    value: Annotated[int, BeforeValidator(_priority)] = Field(
        description="Pods of a greater value are scheduled first; pods that name no class have 0."
    )
    preempts: Flag = Field(default=False, description="Whether its pods end pods of less priority to take their place.")


class Tenant(Model):
    """One team: a namespace with a quota in slices, walls around it, and the people who work in it."""

    pools: tuple[Text, ...] = Field(default=(), description="GPU pools that the tenant's GPU pods must choose from.")
    slices: Count | None = Field(
        default=None,
        description="Most slices the tenant may hold at once, of each GPU resource; without it all that its pools have.",
    )
    resources: dict[Text, Count] = Field(
        default={}, description="Most of single GPU resources by name, where that is another number than `slices`."
    )
    pod_security: PodSecurityLevel = Field(
        default="restricted", description="Pod Security level of the namespace; baseline lets images run as root."
    )
    egress: tuple[Egress, ...] = Field(
        default=(), description="What its pods may reach beside DNS and each other: {cidr, ports}."
    )
    ingress_from: tuple[DnsLabel, ...] = Field(
        default=(), description="Namespaces whose pods may reach its pods; without it only its own."
    )
    principals: tuple[Principal, ...] = Field(
        default=(), description="ARNs of the IAM users and roles that work in the namespace, and nowhere else."
    )
    priority: Priority | None = Field(default=None, description="A PriorityClass of its own: {value, preempts}.")


class Admission(Model):
    """What the API server does with pods that break the rules of GPU nodes."""

    enforcement: Enforcement | None = Field(
        default=None,
        description="deny refuses them; warn lets them pass with a warning; audit only notes them. Without it deny, and "
        "warn on an adopted cluster, where pods were before the rules.",
    )
    platform_namespaces: tuple[DnsLabel, ...] = Field(
        default=(),
        description="More namespaces whose daemons may run on GPU nodes without a GPU, such as a log agent's.",
    )
