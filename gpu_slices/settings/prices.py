"""The `prices` key: what a stack's owner knows better than the list, and what the owner assumes."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from .. import catalogue
from ..cost.price_table import load_prices
from .base import Count, Model, refused, whole_number
from .mistakes import did_you_mean, shown

#: A discount beyond this is more likely a price than a percentage.
_MOST_PERCENT: Final = 95


def _number(value: Any) -> float:
    """1.95 and "1.95" (`pulumi config set` stores text)."""
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError
        number = float(value)
    except (ValueError, OverflowError):
        raise refused(f"{shown(value)} is not a number", "write it like 1.95") from None
    if not 0 < number < float("inf"):
        raise refused(f"{shown(value)} cannot be", "write a number above 0, like 1.95")
    return number


def _percent(value: Any) -> int:
    percent = whole_number(value)
    if not 0 <= percent <= _MOST_PERCENT:
        raise refused(f"{percent} % off cannot be", f"write whole percent from 0 to {_MOST_PERCENT}")
    return percent


def _years(value: Any) -> int:
    years = whole_number(value)
    if years not in (1, 3):
        raise refused(f"AWS sells no commitment of {years} years", "write 1 or 3")
    return years


def _priced(value: dict[str, float]) -> dict[str, float]:
    known = {*catalogue.load().instances, *load_prices().instances, *load_prices().services}
    for name in value:
        if name not in known:
            services = ", ".join(sorted(load_prices().services))
            near = did_you_mean(name, known)
            remedy = near if near.startswith("did") else f"write an instance type or one of: {services}"
            raise refused(f"nothing here is called {shown(name)}", remedy)
    return dict(sorted(value.items()))


Number = Annotated[float, BeforeValidator(_number)]
Percent = Annotated[int, BeforeValidator(_percent)]


class Commitment(Model):
    """A Savings Plan or reservation for what runs all the time: `desired` on-demand nodes and system nodes."""

    years: Annotated[Literal[1, 3], BeforeValidator(_years)] = Field(description="Term: 1 or 3.")
    discount_percent: Percent = Field(description="Percent below on demand that your contract gives you.")


class Prices(Model):
    """What is known or assumed about prices; without it everything is priced by the list of one region."""

    region_factor: Number | None = Field(
        default=None, description="List prices × this are the prices of the stack's region; yours to look up."
    )
    private: Annotated[dict[str, Number], AfterValidator(_priced)] = Field(
        default={}, description="USD per hour of instance types, or per unit of a service, used as they are."
    )
    spot_discount_percent: Percent | None = Field(
        default=None, description="Percent below on demand that you assume for spot; without it spot counts in full."
    )
    commitment: Commitment | None = Field(
        default=None, description="A one- or three-year commitment you assume: {years, discountPercent}."
    )
    nat_gb_per_month: Count = Field(
        default=0, alias="natGbPerMonth", description="GB a month that you assume go through NAT gateways."
    )
