"""What an edit can do to running nodes and pods, graded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Effect = Literal["nothing", "restart", "disrupt", "replace", "delete"]
#: From harmless to final.
EFFECTS: Final[tuple[Effect, ...]] = ("nothing", "restart", "disrupt", "replace", "delete")


@dataclass(frozen=True, kw_only=True)
class Consequence:
    """What an edit does to running nodes and pods.

    nothing: they stay as they are; restart: a DaemonSet or controller of ours restarts; disrupt: running work is
    moved or cut off; replace: a node group, network or cluster is made anew; delete: it goes.
    """

    effect: Effect
    words: str


def worst(effects: Sequence[Effect]) -> Effect:
    """The gravest of several effects."""
    return EFFECTS[max((EFFECTS.index(effect) for effect in effects), default=0)]


def nothing(words: str) -> Consequence:
    """A consequence of this effect."""
    return Consequence(effect="nothing", words=words)


def restart(words: str) -> Consequence:
    """A consequence of this effect."""
    return Consequence(effect="restart", words=words)


def disrupt(words: str) -> Consequence:
    """A consequence of this effect."""
    return Consequence(effect="disrupt", words=words)


def replace(words: str) -> Consequence:
    """A consequence of this effect."""
    return Consequence(effect="replace", words=words)
