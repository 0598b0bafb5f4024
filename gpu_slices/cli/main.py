"""Reads the command line, runs the command, says mistakes one a line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Final

from ..settings import SettingsError
from . import (
    advise,
    bench,
    config_schema,
    cost,
    diff,
    doctor,
    leftovers,
    plan,
    preflight,
    preview,
    render,
    stacks,
    status,
    verify,
    versions,
)
from .command import CHECK_FAILED, WRONG_INPUT, Command

COMMANDS: Final[tuple[Command, ...]] = (
    plan.COMMAND,
    preflight.COMMAND,
    diff.COMMAND,
    preview.COMMAND,
    cost.COMMAND,
    stacks.COMMAND,
    render.COMMAND,
    verify.COMMAND,
    doctor.COMMAND,
    status.COMMAND,
    leftovers.COMMAND,
    bench.COMMAND,
    advise.COMMAND,
    versions.COMMAND,
    config_schema.COMMAND,
)


def main(arguments: Sequence[str]) -> int:
    """Exit code of one command: 0 fine, 1 a check failed, 2 the input is wrong."""
    parser = argparse.ArgumentParser(prog="python -m gpu_slices", description="Tools over a stack's settings.")
    words = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        below = words.add_parser(command.name, help=command.help, description=command.help)
        command.add_arguments(below)
        below.set_defaults(run=command.run)
    chosen = parser.parse_args(arguments)
    try:
        return chosen.run(chosen)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return WRONG_INPUT
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CHECK_FAILED
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return WRONG_INPUT
