"""What a demo did, as plain data, and the same as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from engine.operation import Operation
from rehearsal.demo.promises import Promise
from rehearsal.demo.slice_edit import SliceEdit
from rehearsal.demo.words import Description


@dataclass(frozen=True, kw_only=True)
class Step:
    """One operation of the engine: what it was about, how long it took and how many steps of each kind it had."""

    name: str
    seconds: float
    counts: Mapping[str, int]

    @classmethod
    def of(cls, name: str, operation: Operation) -> Step:
        """The step that an operation was."""
        return cls(name=name, seconds=operation.seconds, counts=operation.summary)


@dataclass(frozen=True, kw_only=True)
class Left:
    """What was there after destroy: resources in the state, things in the pretended account."""

    state: tuple[str, ...]
    account: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Story:
    """A whole demo. `left` is None for a dry run, `edit` and `diff` where the stack shares no GPU."""

    stack: str
    engine: str
    steps: tuple[Step, ...]
    edit: SliceEdit | None
    diff: Description | None
    outputs: Mapping[str, Any]
    promises: tuple[Promise, ...]
    left: Left | None

    @property
    def broken(self) -> tuple[Promise, ...]:
        """The promises that were not kept."""
        return tuple(promise for promise in self.promises if not promise.kept)


def story_json(story: Story) -> dict[str, Any]:
    """`stack`, `engine`, `steps`, `edit`, `diff`, `outputs`, `promises` and `left`, as the dataclasses name them."""
    return asdict(story)
