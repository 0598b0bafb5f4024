"""The address plan of a new VPC: which range each subnet gets."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

#: Regions whose first two zones are not a and b for every account.
_DEFAULT_ZONES: Final = {"ap-northeast-1": ("a", "c")}


@dataclass(frozen=True, kw_only=True)
class Subnet:
    """One subnet of a new VPC."""

    zone: str
    cidr: str


@dataclass(frozen=True, kw_only=True)
class AddressPlan:
    """Subnets of a new VPC, one of each kind per zone, in the order of the zones."""

    private: tuple[Subnet, ...]
    public: tuple[Subnet, ...]


#: Of a network that is not ours.
NO_ADDRESSES: Final = AddressPlan(private=(), public=())


def default_zones(region: str) -> tuple[str, ...]:
    """Two zones of the region, for a stack that names none."""
    return tuple(f"{region}{letter}" for letter in _DEFAULT_ZONES.get(region, ("a", "b")))


def address_plan(cidr: str, zones: Sequence[str]) -> AddressPlan:
    """Private subnets of an eighth of the VPC each (pods get VPC addresses), public ones of a 128th, one per zone.

    `cidr` is /16 to /22, `zones` two to four: a /16 gives /19 private and /23 public subnets; a /22 gives /25 and
    /28 (AWS's smallest), which is why public subnets never shrink below /28.
    """
    network = ipaddress.IPv4Network(cidr)
    eighths = list(network.subnets(prefixlen_diff=3))
    public = list(eighths[-1].subnets(new_prefix=min(28, network.prefixlen + 7)))
    return AddressPlan(
        private=tuple(Subnet(zone=zone, cidr=str(block)) for zone, block in zip(zones, eighths, strict=False)),
        public=tuple(Subnet(zone=zone, cidr=str(block)) for zone, block in zip(zones, public, strict=False)),
    )
