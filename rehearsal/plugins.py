"""Puts the stand-ins where the engine looks for plugins: the cache of a PULUMI_HOME of our own."""

from __future__ import annotations

import importlib.metadata
import shlex
import sys
from pathlib import Path

from engine import EngineError

PACKAGES = ("aws", "eks", "kubernetes")


def install(home: Path) -> None:
    """Writes one wrapper per package, under the version of the installed SDK, so that the engine asks for no other."""
    plugin = Path(__file__).resolve().parent / "plugin.py"
    for package in PACKAGES:
        version = importlib.metadata.version(f"pulumi-{package}")
        _wrap(home, f"resource-{package}", version, [sys.executable, str(plugin), package])


def install_analyzer(home: Path, pack: Path) -> None:
    """What starts policy packs in Python, as Pulumi's release brings it: here for one pack, in its own environment.

    The engine looks for it where there is no language host, which a build from Go modules does not have. Raises EngineError.
    """
    python = pack / ".venv" / "bin" / "python"
    if not python.exists():
        raise EngineError(f"the policy pack has no environment {python}: `make policy-pack` makes it")
    # The engine adds the runtime's options, which the module would misread.
    _wrap(home, "analyzer-policy-python", "1.0.0", [str(python), "-u", "-m", "pulumi.policy"], passed='"$1" "$2"')


def _wrap(home: Path, name: str, version: str, argv: list[str], passed: str = '"$@"') -> None:
    folder = home / "plugins" / f"{name}-v{version}"
    folder.mkdir(parents=True)
    wrapper = folder / f"pulumi-{name}"
    wrapper.write_text(f"#!/bin/sh\nexec {shlex.join(argv)} {passed}\n")
    wrapper.chmod(0o755)
