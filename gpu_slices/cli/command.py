"""What every command shares: its arguments, its exit codes, where its words go."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..plan import Plan, make_plan
from ..settings import StackFile, parse, read_stack_file
from ..settings.stack_file import stack_path

FINE: Final = 0
CHECK_FAILED: Final = 1
WRONG_INPUT: Final = 2


@dataclass(frozen=True, kw_only=True)
class Command:
    """One word of the command line."""

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    #: Returns the exit code; raises SettingsError for settings that have mistakes.
    run: Callable[[argparse.Namespace], int]


def add_stack_arguments(parser: argparse.ArgumentParser) -> None:
    """`--stack NAME` of the folder one stands in, or `--file PATH`."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--stack", metavar="NAME", help="the stack whose Pulumi.NAME.yaml lies in this folder")
    which.add_argument("--file", metavar="PATH", type=Path, help="a stack file anywhere")


def add_output_arguments(parser: argparse.ArgumentParser, formats: tuple[str, ...]) -> None:
    """`--format` and `--out`."""
    parser.add_argument("--format", choices=formats, default=formats[0], help=f"default: {formats[0]}")
    parser.add_argument("--out", metavar="FILE", type=Path, help="write there instead of to the terminal")


def stack_path_of(arguments: argparse.Namespace) -> Path:
    """Where the stack file lies that the arguments name."""
    return arguments.file or stack_path(Path.cwd(), arguments.stack)


def stack_file_of(arguments: argparse.Namespace) -> StackFile:
    """The stack file that the arguments name."""
    return read_stack_file(stack_path_of(arguments))


def plan_of(arguments: argparse.Namespace) -> Plan:
    """The plan of the stack that the arguments name."""
    file = stack_file_of(arguments)
    return make_plan(parse(file.raw, stack=file.stack), stack=file.stack)


def write(text: str, out: Path | None) -> None:
    """To the file, else to standard output."""
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, encoding="utf-8")
