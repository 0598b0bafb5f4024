"""What a kind of leftover is: how it is found, what it costs, how it goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .owner import Owner


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """One thing that is still there.

    `id` is AWS's id, name or ARN, `detail` what a person would call it, `usd_per_month` its list price: 0 for what is
    free, None where it is not known.
    """

    kind: str
    id: str
    detail: str
    usd_per_month: float | None


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One row of the table. `service` is the boto3 client that `find` and `remove` are called with.

    `waiter` names the client's waiter for things that take minutes to go and hold others meanwhile, and `waits_for`
    its argument for their ids.
    """

    word: str
    service: str
    find: Callable[[Any, Owner], Iterator[Leftover]]
    remove: Callable[[Any, str], object]
    waiter: str = ""
    waits_for: str = ""
