"""`stacks`: all stack files of the folder in one table."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ..report.stacks_table import stacks_json, stacks_markdown, stacks_text
from ..review.revisions import stack_files_in
from ..review.sides import side_of_text
from ..settings import Mistake, SettingsError
from .command import FINE, WRONG_INPUT, Command, add_output_arguments, write


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_output_arguments(parser, ("text", "markdown", "json"))


def _run(arguments: argparse.Namespace) -> int:
    files = stack_files_in(Path.cwd())
    if not files:
        raise SettingsError(
            [Mistake(path=str(Path.cwd()), problem="has no stack file", remedy="run from the project's folder")]
        )
    stacks = [side_of_text(name, text) for name, text in files.items()]
    if arguments.format == "json":
        write(json.dumps(stacks_json(stacks), indent=2, ensure_ascii=False) + "\n", arguments.out)
    elif arguments.format == "markdown":
        write(stacks_markdown(stacks), arguments.out)
    else:
        write(stacks_text(stacks, plain=arguments.out is not None), arguments.out)
    for name, side in stacks:
        for mistake in side.mistakes:
            print(f"{name}: {mistake}", file=sys.stderr)
    return WRONG_INPUT if any(side.mistakes for _, side in stacks) else FINE


COMMAND = Command(
    name="stacks", help="all stack files in one table: replicas, slices, money", add_arguments=_add_arguments, run=_run
)
