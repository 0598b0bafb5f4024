"""`python -m rehearsal.cluster build` provides the programs; `... up` holds a control plane until Ctrl-C or end of input."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

from rehearsal.cluster.build import BuildError, build
from rehearsal.cluster.errors import ClusterError
from rehearsal.cluster.workspace import sweep


def _build(_: argparse.Namespace) -> int:
    build(_say)
    return 0


def _up(arguments: argparse.Namespace) -> int:
    from rehearsal.cluster.control_plane import ControlPlane

    with ControlPlane.start(facts=arguments.facts, progress=_say) as plane:
        _say(f"KUBECONFIG={plane.kubeconfig}")
        _say(f"CONTROL_SOCKET={plane.socket}")
        _say("Ctrl-C or end of input stops it")
        with contextlib.suppress(KeyboardInterrupt):
            sys.stdin.read()
    return 0


def _sweep(_: argparse.Namespace) -> int:
    for folder in sweep():
        _say(f"removed {folder}")
    return 0


def _say(text: str) -> None:
    print(text, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 fine, 1 it failed (one sentence on standard error)."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal.cluster", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="build what is missing into .bin/").set_defaults(run=_build)
    up = commands.add_parser("up", help="hold a control plane")
    up.add_argument("--facts", type=Path, help="JSON file of instance types (see facts.py)")
    up.set_defaults(run=_up)
    commands.add_parser("sweep", help="remove folders that killed control planes left").set_defaults(run=_sweep)
    chosen = parser.parse_args(arguments)
    try:
        return chosen.run(chosen)
    except (BuildError, ClusterError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
