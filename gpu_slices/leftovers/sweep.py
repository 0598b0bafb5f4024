"""Looks for every kind of leftover, and removes what it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError, WaiterError

from . import compute, services
from .kind import Kind, Leftover
from .owner import Owner

#: In the order of removal: what holds others goes first.
KINDS: Final[tuple[Kind, ...]] = (
    services.BALANCERS,
    services.CLASSIC_BALANCERS,
    compute.INSTANCES,
    compute.NAT_GATEWAYS,
    compute.VOLUMES,
    compute.INTERFACES,
    compute.ADDRESSES,
    compute.TEMPLATES,
    compute.GROUPS,
    services.LOG_GROUPS,
)

#: Gives a boto3 client by the service's name.
Clients = Callable[[str], Any]
#: Is told what is being done, one line at a time.
Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one leftover; `refusal` is AWS's reason for keeping it, None once it is gone."""

    leftover: Leftover
    refusal: str | None


def cluster_status(clients: Clients, owner: Owner) -> str | None:
    """EKS's status of the owner's cluster, None once there is none. Raises botocore's errors."""
    try:
        return clients("eks").describe_cluster(name=owner.cluster)["cluster"]["status"]
    except ClientError as error:
        if _code(error) == "ResourceNotFoundException":
            return None
        raise


def find(clients: Clients, owner: Owner, progress: Progress) -> list[Leftover]:
    """Everything that is left, in the order of KINDS, then by id. Raises botocore's errors."""
    found: list[Leftover] = []
    for kind in KINDS:
        progress(f"looking for any {kind.word}")
        found += sorted(kind.find(clients(kind.service), owner), key=lambda one: one.id)
    return found


def remove(clients: Clients, leftovers: Sequence[Leftover], progress: Progress) -> Iterator[Outcome]:
    """Removes exactly these, kind by kind, and goes on where AWS refuses. Raises botocore's other errors."""
    for kind in KINDS:
        own = [one for one in leftovers if one.kind == kind.word]
        if not own:
            continue
        client = clients(kind.service)
        outcomes = [_remove(client, kind, one, progress) for one in own]
        _wait(client, kind, [one.leftover.id for one in outcomes if one.refusal is None], progress)
        yield from outcomes


def _remove(client: Any, kind: Kind, leftover: Leftover, progress: Progress) -> Outcome:
    progress(f"removing {kind.word} {leftover.id}")
    try:
        kind.remove(client, leftover.id)
    except ClientError as error:
        refusal = None if _is_gone(error) else str(error.response["Error"].get("Message") or _code(error))
        return Outcome(leftover=leftover, refusal=refusal)
    return Outcome(leftover=leftover, refusal=None)


def _wait(client: Any, kind: Kind, ids: Iterable[str], progress: Progress) -> None:
    """Until AWS has really let go of them, as far as it says so in time; what is left then shows in the next search."""
    waiting = list(ids)
    if not kind.waiter or not waiting:
        return
    progress(f"waiting until {len(waiting)} {kind.word}{'s' if len(waiting) > 1 else ''} are gone (some minutes)")
    try:
        client.get_waiter(kind.waiter).wait(**{kind.waits_for: waiting})
    except WaiterError as error:
        progress(str(error))


def _is_gone(error: ClientError) -> bool:
    """Somebody else, or AWS itself, was faster."""
    return "NotFound" in _code(error)


def _code(error: ClientError) -> str:
    return error.response["Error"]["Code"]
