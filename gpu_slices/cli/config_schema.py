"""`config-schema`: what a stack file may say, as JSON Schema for editors or as a page for people."""

from __future__ import annotations

import argparse
import json

from ..report.config_page import config_page
from ..settings.editor_schema import editor_schema
from .command import FINE, Command, add_output_arguments, write


def _run(arguments: argparse.Namespace) -> int:
    if arguments.format == "markdown":
        write(config_page(), arguments.out)
    else:
        write(json.dumps(editor_schema(), indent=2, ensure_ascii=False) + "\n", arguments.out)
    return FINE


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_output_arguments(parser, ("json", "markdown"))


COMMAND = Command(
    name="config-schema",
    help="the JSON Schema of a stack file, or docs/config.md",
    add_arguments=_add_arguments,
    run=_run,
)
