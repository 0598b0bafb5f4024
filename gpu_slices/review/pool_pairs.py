"""One GPU pool before and after: its nodes' slices, and how many slices it has in all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..plan import Plan
from ..pool_limits import slices_at_limit, slices_configured
from ..pool_plan import NodeShape, PoolPlan

__all__ = ["Change", "PoolPair", "ShapePair", "pool_pairs", "slices_at_limit", "slices_configured"]

Change = Literal["added", "removed", "edited", "same"]


@dataclass(frozen=True, kw_only=True)
class ShapePair:
    """One instance type of a pool; a side is None where the pool does not admit it."""

    name: str
    old: NodeShape | None
    new: NodeShape | None


@dataclass(frozen=True, kw_only=True)
class PoolPair:
    """One pool by name; a side is None where the stack does not have it."""

    name: str
    old: PoolPlan | None
    new: PoolPlan | None

    @property
    def there(self) -> PoolPlan:
        """The new side, else the old one."""
        pool = self.new or self.old
        assert pool is not None
        return pool

    @property
    def change(self) -> Change:
        """What became of it. `edited` means in its slices, prices or size, not in any key."""
        if self.old is None:
            return "added"
        if self.new is None:
            return "removed"
        return "same" if self.old == self.new else "edited"

    @property
    def sliced_otherwise(self) -> bool:
        """Whether a node of the pool advertises something else than before."""
        return any(pair.old and pair.new and pair.old.advertised != pair.new.advertised for pair in self.shapes)

    @property
    def head(self) -> ShapePair:
        """The first instance type of each side, which stands for the pool where there is room for one."""
        sides = [pool.shapes[0] if pool else None for pool in (self.old, self.new)]
        names = [shape.instance.name for shape in sides if shape]
        if self.old and self.new and names[0] != names[1]:
            same = next((shape for shape in self.old.shapes if shape.instance.name == names[1]), None)
            if same is not None:
                return ShapePair(name=names[1], old=same, new=sides[1])
        return ShapePair(name=" → ".join(dict.fromkeys(names)), old=sides[0], new=sides[1])

    @property
    def shapes(self) -> tuple[ShapePair, ...]:
        """Instance types of either side, in the order of the new side, then those that went."""
        old = {shape.instance.name: shape for shape in self.old.shapes} if self.old else {}
        new = {shape.instance.name: shape for shape in self.new.shapes} if self.new else {}
        names = [*new, *(name for name in old if name not in new)]
        return tuple(ShapePair(name=name, old=old.get(name), new=new.get(name)) for name in names)


def pool_pairs(old: Plan | None, new: Plan | None) -> tuple[PoolPair, ...]:
    """All pools of either side, sorted by name."""
    before = {pool.name: pool for pool in old.pools} if old else {}
    after = {pool.name: pool for pool in new.pools} if new else {}
    names = sorted({*before, *after})
    return tuple(PoolPair(name=name, old=before.get(name), new=after.get(name)) for name in names)
