"""What idle things cost in a month: list prices in USD, without traffic. A hint, not a bill."""

from __future__ import annotations

from typing import Final

from ..catalogue import load
from ..cost.price_table import load_prices
from ..cost.prices import HOURS_PER_MONTH

FREE: Final = 0.0

_MIB_PER_GIB: Final = 1024


def volume(type_: str, gib: int) -> float | None:
    """One month of a volume's storage; IOPS and throughput of its own come on top. None for a type without a price."""
    return _month(f"{type_}-gib-month", gib)


def load_balancer(type_: str) -> float | None:
    """One month of a load balancer: application, classic, network."""
    return _month(f"{type_}-load-balancer-hour", HOURS_PER_MONTH)


def nat_gateway() -> float | None:
    """One month of a NAT gateway."""
    return _month("nat-gateway-hour", HOURS_PER_MONTH)


def public_address() -> float | None:
    """One month of an Elastic IP address, used or not."""
    return _month("public-ipv4-hour", HOURS_PER_MONTH)


def log_storage(mib: float) -> float | None:
    """One month of what a log group holds."""
    return _month("log-gib-month", mib / _MIB_PER_GIB)


def instance(type_: str, state: str, *, spot: bool) -> float | None:
    """One month of an instance on demand; None for spot and for types without a price, 0 while it stands still."""
    if state not in ("pending", "running"):
        return FREE
    gpu = load().instances.get(type_)
    hour = gpu.usd_per_hour if gpu is not None else load_prices().instances.get(type_)
    return None if spot or hour is None else round(hour * HOURS_PER_MONTH, 2)


def _month(name: str, units: float) -> float | None:
    price = load_prices().services.get(name)
    return None if price is None else round(price.usd * units, 2)
