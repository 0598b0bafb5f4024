"""List prices beside those of GPU instances: services, disks and instances without GPUs. Data in aws_prices.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where prices come from, and the day they were read."""

    words: str
    read: str


@dataclass(frozen=True, kw_only=True)
class ServicePrice:
    """The list price of one thing that is no instance: USD per `unit`."""

    usd: float
    unit: str
    what: str


@dataclass(frozen=True, kw_only=True)
class PriceTable:
    """List prices of one region. `instances` are USD per hour on demand, Linux."""

    region: str
    services: Mapping[str, ServicePrice]
    services_source: Source
    instances: Mapping[str, float]
    instances_source: Source


@cache
def load_prices() -> PriceTable:
    """The table that ships with the program. Read once per process."""
    data = json.loads(files("gpu_slices.cost").joinpath("aws_prices.json").read_text(encoding="utf-8"))
    services, instances = data["services"], data["instances"]
    return PriceTable(
        region=data["region"],
        services={name: ServicePrice(**row) for name, row in services["items"].items()},
        services_source=Source(words=services["source"], read=services["read"]),
        instances=instances["usdPerHour"],
        instances_source=Source(words=instances["source"], read=instances["read"]),
    )
