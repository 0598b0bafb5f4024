"""Control planes for the tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rehearsal.cluster.control_plane import ControlPlane
from rehearsal.cluster.programs import BUILD_COMMAND, missing
from tests.cluster.platform_objects import FACTS


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
