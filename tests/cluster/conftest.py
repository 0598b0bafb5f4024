"""Control planes for the tests, and a way to wait for what they show."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from platform_objects import FACTS

from rehearsal.cluster.control_plane import ControlPlane
from rehearsal.cluster.programs import BUILD_COMMAND, missing

PATIENCE_SECONDS = 90.0


@pytest.fixture(scope="session")
def programs() -> None:
    """Skips, by the name of what is missing, where the control plane's programs are not there."""
    absent = missing()
    if absent:
        pytest.skip(f"needs {', '.join(absent)}: run `{BUILD_COMMAND}`")


@pytest.fixture(scope="module")
def plane(programs: None) -> Iterator[ControlPlane]:
    """A control plane for one test file, with facts and without Karpenter."""
    with ControlPlane.start(facts=FACTS) as started:
        yield started


@pytest.fixture
def fresh_plane(programs: None) -> Iterator[ControlPlane]:
    """A control plane for one test."""
    with ControlPlane.start(facts=FACTS) as started:
        yield started


def eventually(found: Callable[[], object], *, seconds: float = PATIENCE_SECONDS) -> object:
    """Return the first true value of `found`, asked again until then; fails with the last one when that takes too long."""
    deadline = time.monotonic() + seconds
    while True:
        value = found()
        if value:
            return value
        assert time.monotonic() < deadline, f"still {value!r} after {seconds:g} s"
        time.sleep(0.1)
