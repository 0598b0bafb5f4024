"""Which slice edit a demo makes: of the first shared pool, where the stack file states its number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gpu_slices.plan import Plan, PoolPlan


@dataclass(frozen=True, kw_only=True)
class SliceEdit:
    """One number that changes. `path` is the key as `pulumi config set --path` takes it."""

    pool: str
    path: str
    before: int
    after: int

    @property
    def command(self) -> str:
        """What a person would type."""
        flag = "--path " if "." in self.path else ""
        return f"pulumi config set {flag}{self.path} {self.after}"


def choose_edit(plan: Plan, raw: Mapping[str, Any]) -> SliceEdit | None:
    """The edit for a stack, or None where no pool is shared. `raw` is what the stack file says.

    Pools whose edit only restarts the plugin come first: they are what the demo is about.
    """
    shared = [pool for pool in plan.pools if not pool.exclusive]
    gentle = [pool for pool in shared if pool.on_slice_edit.effect == "restart"]
    pool = next(iter(gentle or shared), None)
    if pool is None:
        return None
    path = f"{pool.path}.replicas" if _says_replicas(raw, pool) else "replicas"
    return SliceEdit(pool=pool.name, path=path, before=pool.replicas, after=other_count(pool.replicas))


def other_count(replicas: int) -> int:
    """The largest power of two that is at most half: 10 → 4, 4 → 2. From 2 and 3 up to 4, since 1 would end sharing."""
    half = replicas // 2
    return 4 if half < 2 else 1 << (half.bit_length() - 1)


def _says_replicas(raw: Mapping[str, Any], pool: PoolPlan) -> bool:
    found: Any = raw
    for key in pool.path.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return isinstance(found, Mapping) and "replicas" in found
