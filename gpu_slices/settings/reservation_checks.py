"""Rules over the capacity reservations of GPU node groups. What only the account knows, `preflight` asks it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

from .. import catalogue
from ..catalogue.capacity_blocks import CAPACITY_BLOCK_FAMILIES, MOST_INSTANCES
from ..subnets import default_zones
from .cluster import ExistingNetwork
from .mistakes import Mistake, listed, shown
from .model import REGION_KEY, Settings
from .pools import GpuNodeGroup
from .reservations import CapacityReservation

Check = Callable[[Settings], Iterator[Mistake]]


def _reserved(settings: Settings) -> Iterator[tuple[str, GpuNodeGroup, CapacityReservation]]:
    """Path of the key, group, reservation."""
    for name, group in settings.gpu_node_groups.items():
        if group.capacity_reservation:
            yield f"gpuNodeGroups.{name}.capacityReservation", group, group.capacity_reservation


def _reservation_is_on_demand(settings: Settings) -> Iterator[Mistake]:
    for path, group, _ in _reserved(settings):
        if group.capacity == "spot":
            yield Mistake(
                path=path,
                problem="a capacity reservation is on-demand capacity: spot cannot use it",
                remedy="write capacity: on-demand",
            )


def _reservation_is_where_nodes_can_be(settings: Settings) -> Iterator[Mistake]:
    network = settings.network
    for path, _, reservation in _reserved(settings):
        zone = reservation.zone
        if not zone.startswith(settings.region) or len(zone) != len(settings.region) + 1:
            yield Mistake(
                path=f"{path}.zone",
                problem=f"{shown(zone)} is not a zone of {settings.region}",
                remedy=f"write the reservation's own zone, like {settings.region}a",
            )
        elif isinstance(network, ExistingNetwork):
            yield from _subnets_are_private(path, reservation, network)
        elif zone not in (zones := network.zones or default_zones(settings.region)):
            yield Mistake(
                path=f"{path}.zone",
                problem=f"the reservation is in another zone: {zone}, while the network has {', '.join(zones)}",
                remedy=f"add {zone} to network.zones, or name a reservation in one of them",
            )
        if reservation.subnet_ids and not isinstance(network, ExistingNetwork):
            yield Mistake(
                path=f"{path}.subnetIds",
                problem="names subnets although the stack makes its own",
                remedy="remove it: the zone's subnet is found by itself",
            )


def _subnets_are_private(path: str, reservation: CapacityReservation, network: ExistingNetwork) -> Iterator[Mistake]:
    if not reservation.subnet_ids:
        yield Mistake(
            path=f"{path}.subnetIds",
            problem="is missing: in an existing network only you know which subnets are in the reservation's zone",
            remedy=f"name those of network.privateSubnetIds that are in {reservation.zone}",
        )
    for index, subnet in enumerate(reservation.subnet_ids):
        if subnet not in network.private_subnet_ids:
            yield Mistake(
                path=f"{path}.subnetIds[{index}]",
                problem=f"{subnet} is no private subnet of the network",
                remedy=f"write one of: {', '.join(network.private_subnet_ids)}",
            )


def _block_is_sold_for_the_type(settings: Settings) -> Iterator[Mistake]:
    known = catalogue.load().instances
    for path, group, reservation in _reserved(settings):
        if reservation.type != "capacity-block":
            continue
        if known[group.instance_type].family not in CAPACITY_BLOCK_FAMILIES:
            yield Mistake(
                path=f"{path}.type",
                problem=f"there are no capacity blocks of {group.instance_type}",
                remedy=f"write odcr, or take a type of {listed(sorted(CAPACITY_BLOCK_FAMILIES), 12)}",
            )
        if reservation.instances and reservation.instances > MOST_INSTANCES:
            yield Mistake(
                path=f"{path}.instances",
                problem=f"a capacity block has at most {MOST_INSTANCES} instances",
                remedy="write what the reservation holds",
            )


def _reservation_holds_the_nodes(settings: Settings) -> Iterator[Mistake]:
    """Of every reservation: all groups' most nodes together, beside what it holds."""
    users: dict[str, list[tuple[str, int]]] = defaultdict(list)
    held: dict[str, int] = {}
    for path, group, reservation in _reserved(settings):
        users[reservation.id].append((path, group.max))
        if reservation.instances:
            held[reservation.id] = min(reservation.instances, held.get(reservation.id, reservation.instances))
    for reservation, instances in held.items():
        wanted = sum(most for _, most in users[reservation])
        if wanted > instances:
            yield Mistake(
                path=f"{users[reservation][0][0]}.instances",
                problem=f"{reservation} holds {instances} instances, its node groups may want {wanted}",
                remedy="lower max, or reserve more",
            )


#: Check → keys that it interprets, as in checks.CHECKS.
RESERVATION_CHECKS: Mapping[Check, tuple[str, ...]] = {
    _reservation_is_on_demand: (),
    _reservation_is_where_nodes_can_be: (REGION_KEY, "network"),
    _block_is_sold_for_the_type: (),
    _reservation_holds_the_nodes: (),
}
