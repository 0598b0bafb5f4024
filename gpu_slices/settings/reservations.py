"""The `capacityReservation` of a GPU node group: capacity that is paid for already, by its id."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from .base import Model, Positive, Text, refused
from .mistakes import shown

ReservationType = Literal["odcr", "capacity-block"]

_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?Z")


def reservation_id(value: str) -> str:
    """An id of EC2's."""
    if not re.fullmatch(r"cr-[0-9a-f]{8,17}", value):
        raise refused(f"{shown(value)} is not a capacity reservation", "write an id like cr-0123456789abcdef0")
    return value


def _time(value: Any) -> str:
    """UTC, to the second. YAML reads an unquoted time as one, the engine hands over text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if value.tzinfo else f"{value:%Y-%m-%dT%H:%M:%S}Z"
    if isinstance(value, str) and _TIME.fullmatch(value):
        try:
            return _time(datetime.fromisoformat(value))
        except ValueError:
            pass
    raise refused(
        f"{shown(value)} is not a time in UTC", 'write it like "2026-12-01T11:30:00Z", as EC2 shows the end date'
    )


class CapacityReservation(Model):
    """One reservation that the nodes of a group are launched into, and nowhere else."""

    id: Annotated[Text, AfterValidator(reservation_id)] = Field(description="Id of the reservation: cr-…")
    type: ReservationType = Field(
        default="odcr", description="odcr (On-Demand Capacity Reservation) or capacity-block (Capacity Block for ML)."
    )
    zone: Text = Field(description="Availability zone of the reservation; the nodes live there only.")
    instances: Positive | None = Field(default=None, description="Instances it holds; the group's max must fit.")
    ends: Annotated[str, BeforeValidator(_time)] | None = Field(
        default=None, description="When it ends, in UTC; the program warns from then on."
    )
    subnet_ids: tuple[Annotated[Text, Field(pattern=r"^subnet-[0-9a-f]{8,17}$")], ...] = Field(
        default=(), description="On an existing network: its private subnets in that zone."
    )
