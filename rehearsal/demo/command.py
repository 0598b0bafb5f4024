"""The command line of the demo: reads it, runs the demo, says problems one a line."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from engine import EngineError, NoEngine, provide
from gpu_slices.settings import SettingsError
from rehearsal.command_line import BROKEN, FINE, STOPPED, WRONG_INPUT, console, stop_on_sigterm
from rehearsal.demo.scenario import Demo
from rehearsal.demo.story import Story, story_json
from rehearsal.demo.telling import Teller


def main(arguments: Sequence[str]) -> int:
    """Exit code: 0 fine, 1 a promise was broken or the engine failed, 2 the settings are wrong, 130 stopped."""
    stop_on_sigterm()
    chosen = _parser().parse_args(arguments)
    as_json = chosen.format == "json"
    teller = Teller(console(to_stderr=as_json))
    try:
        story = _run(Demo(chosen.stack, teller), dry=chosen.dry_run)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return WRONG_INPUT
    except EngineError as error:
        print(error, file=sys.stderr)
        return BROKEN
    except KeyboardInterrupt:
        doing = f" during {teller.current}" if teller.current else ""
        print(f"stopped{doing}; nothing is left: what was pretended is gone", file=sys.stderr)
        return STOPPED
    teller.closing(story)
    if as_json:
        print(json.dumps(story_json(story), indent=2, ensure_ascii=False))
    return BROKEN if story.broken else FINE


def _run(demo: Demo, *, dry: bool) -> Story:
    if dry:
        return demo.without_engine()
    try:
        binary = provide()
    except NoEngine as problem:
        print(problem, file=sys.stderr)
        return demo.without_engine()
    return demo.on_engine(binary)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rehearsal.demo",
        description="One stack through preview, up, a slice edit and destroy: the real Pulumi engine, stand-ins for the cloud.",
    )
    parser.add_argument("--stack", metavar="NAME", default="dev", help="the stack whose Pulumi.NAME.yaml is played")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="json: the story on standard output")
    parser.add_argument("--dry-run", action="store_true", help="without the engine: what the program declares")
    return parser
