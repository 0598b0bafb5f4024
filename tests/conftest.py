"""Every test: an event loop of its own, and nothing of this machine's accounts in reach."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from engine import binary

pytest_plugins = ("tests.support.no_skips", "tests.support.side_by_side")

# A law that holds slowly on a busy machine holds.
settings.register_profile("patient", settings.default, deadline=None)
settings.load_profile("patient")

#: What an AWS, Kubernetes or Pulumi client would pick up from the person who runs the tests.
_PERSONAL = ("AWS_", "PULUMI_", "KUBE", "HELM_")


#: What the SDKs warn of while they are imported; it concerns none of the resources that we use.
_OF_THE_SDKS = (
    "ignore:NodeGroup uses AWS EC2 LaunchConfiguration:DeprecationWarning",
    "ignore:aws.ec2/encryptioncontrol.EncryptionControl:DeprecationWarning",
)


def pytest_configure(config: pytest.Config) -> None:
    for line in _OF_THE_SDKS:
        config.addinivalue_line("filterwarnings", line)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips the engine tier by name, with the command that provides the engine."""
    marked = [item for item in items if item.get_closest_marker("engine")]
    if marked and binary.find() is None:
        skip = pytest.mark.skip(reason=f"no Pulumi engine: `{binary.COMMAND}` provides it")
        for item in marked:
            item.add_marker(skip)


@pytest.fixture(autouse=True)
def _event_loop() -> Iterator[None]:
    """What one test leaves on the loop never runs in the next one."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    pending = asyncio.all_tasks(loop)
    for task in pending:
        task.cancel()
    if pending:
        loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
    loop.close()
    asyncio.set_event_loop(None)


@pytest.fixture(autouse=True)
def _hermetic(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No profile, no keys, no kubeconfig, no metadata service."""
    for name in [name for name in os.environ if name.startswith(_PERSONAL)]:
        monkeypatch.delenv(name)
    home: Path = tmp_path_factory.getbasetemp() / "home"
    home.mkdir(exist_ok=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
