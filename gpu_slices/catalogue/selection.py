"""From families, GPU counts and sizes to explicit instance types, or to what emptied the selection."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import groupby

from .load import load
from .types import Catalogue, InstanceType


class FamilyError(Exception):
    """A family that cannot be shared: what is wrong, and what to write."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Instance types by GPUs per node, each sorted by price (unknown last), then name; or why there are none."""

    types: Mapping[int, tuple[InstanceType, ...]]
    #: The constraint that left nothing: `gpusPerNode` or `sizes`, with what was there before it.
    emptied_by: str | None = None
    there_was: tuple[str, ...] = ()


def check_family(name: str, catalogue: Catalogue | None = None) -> None:
    """Raises FamilyError for a family that no GPU pool can have."""
    members = [i for i in (catalogue or load()).instances.values() if i.family == name]
    if not members:
        known = sorted({i.family for i in (catalogue or load()).instances.values() if _sliceable(i)})
        raise FamilyError(f"there is no GPU family {name!r}", f"write one of: {', '.join(known)}")
    if all(member.arch != "amd64" for member in members):
        raise FamilyError(f"{name} is {members[0].arch}; only amd64 is supported", "take g4dn, which has the same GPU")
    if all(member.fractional for member in members):
        raise FamilyError(
            f"{name} carries fractions of one {members[0].gpu.label}, which EC2 counts as 0 GPUs: nothing to slice",
            "take g6, which has whole GPUs",
        )


def select_explicit(names: Collection[str], catalogue: Catalogue) -> Selection:
    """The types named."""
    return Selection(types=_by_count([catalogue.instances[name] for name in names]))


def select(
    families: Collection[str], counts: Collection[int], sizes: Collection[str], catalogue: Catalogue
) -> Selection:
    """All types of the families with these GPU counts and sizes; an empty collection means any."""
    found = [i for i in catalogue.instances.values() if i.family in families and _sliceable(i)]
    for key, wanted, value_of in (
        ("gpusPerNode", counts, lambda i: i.gpu_count),
        ("sizes", sizes, lambda i: i.size),
    ):
        kept = [i for i in found if not wanted or value_of(i) in wanted]
        if not kept:
            there_was = sorted({value_of(i) for i in found}, key=lambda value: (isinstance(value, str), value))
            return Selection(types={}, emptied_by=key, there_was=tuple(str(value) for value in there_was))
        found = kept
    return Selection(types=_by_count(found))


def _sliceable(instance: InstanceType) -> bool:
    return instance.arch == "amd64" and not instance.fractional


def _by_count(instances: Collection[InstanceType]) -> dict[int, tuple[InstanceType, ...]]:
    ordered = sorted(_once(instances), key=lambda i: (i.gpu_count, i.usd_per_hour is None, i.usd_per_hour or 0, i.name))
    return {count: tuple(group) for count, group in groupby(ordered, key=lambda i: i.gpu_count)}


def _once(instances: Collection[InstanceType]) -> list[InstanceType]:
    """Each instance type once."""
    return list({instance.name: instance for instance in instances}.values())
