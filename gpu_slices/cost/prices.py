"""The price of one thing for one stack: private, or the list times the stack's region factor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..catalogue import Catalogue, InstanceType, load
from ..settings import Settings
from .price_table import load_prices

#: Hours of an average month, as AWS's own calculator counts them.
HOURS_PER_MONTH: Final = 730


@dataclass(frozen=True, kw_only=True)
class Price:
    """USD per hour or per unit, None where nobody knows; `basis` says where the number is from."""

    usd: float | None
    basis: str


def gpu_node_price(settings: Settings, instance: InstanceType) -> Price:
    """USD per hour of a GPU instance on demand, as the stack pays it."""
    return _price(settings, instance.name, instance.usd_per_hour)


def instance_price(settings: Settings, instance_type: str) -> Price:
    """The same of any instance type by name; not known for a name that neither list has."""
    known = load().instances.get(instance_type)
    listed = known.usd_per_hour if known else load_prices().instances.get(instance_type)
    return _price(settings, instance_type, listed)


def service_price(settings: Settings, name: str) -> Price:
    """USD per unit of a service. Raises KeyError for a name that the table does not have."""
    return _price(settings, name, load_prices().services[name].usd)


def price_region(settings: Settings, catalogue: Catalogue | None = None) -> str:
    """What prices are of, in words: the list's own region, unless the stack says how its region differs."""
    listed, factor = (catalogue or load()).price_region, settings.prices.region_factor
    if settings.region == listed:
        return listed
    return listed if factor is None else f"{settings.region} = {listed} × {factor:g}"


def _price(settings: Settings, name: str, listed: float | None) -> Price:
    private = settings.prices.private.get(name)
    if private is not None:
        return Price(usd=private, basis="private")
    if listed is None:
        return Price(usd=None, basis="not known")
    factor = settings.prices.region_factor
    return Price(usd=listed, basis="list") if factor is None else Price(usd=listed * factor, basis=f"list × {factor:g}")
