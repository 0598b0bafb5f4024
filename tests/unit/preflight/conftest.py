"""Every test here: an empty account, and every program on PATH."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from moto import mock_aws


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    with mock_aws():
        yield
