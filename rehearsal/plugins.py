"""Puts the stand-ins where the engine looks for plugins: the cache of a PULUMI_HOME of our own."""

from __future__ import annotations

import importlib.metadata
import shlex
import sys
from pathlib import Path

PACKAGES = ("aws", "eks", "kubernetes")


def install(home: Path) -> None:
    """Writes one wrapper per package, under the version of the installed SDK, so that the engine asks for no other."""
    plugin = Path(__file__).resolve().parent / "plugin.py"
    for package in PACKAGES:
        version = importlib.metadata.version(f"pulumi-{package}")
        folder = home / "plugins" / f"resource-{package}-v{version}"
        folder.mkdir(parents=True)
        wrapper = folder / f"pulumi-resource-{package}"
        argv = shlex.join([sys.executable, str(plugin), package])
        wrapper.write_text(f'#!/bin/sh\nexec {argv} "$@"\n')
        wrapper.chmod(0o755)
