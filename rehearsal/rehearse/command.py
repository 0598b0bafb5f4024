"""The command line of the rehearsal: reads it, runs the rehearsal, writes its page, says problems one a line."""

from __future__ import annotations

import argparse
import json
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from engine import EngineError, NoEngine
from gpu_slices.settings import SettingsError
from rehearsal.cluster.errors import ClusterError
from rehearsal.command_line import BROKEN, FINE, STOPPED, WRONG_INPUT, console, stop_on_sigterm
from rehearsal.project import ROOT
from rehearsal.rehearse.page import burst_chart, html_page, markdown_page
from rehearsal.rehearse.result import Result, result_json
from rehearsal.rehearse.scenario import Rehearsal
from rehearsal.rehearse.settings import NothingToRehearse, Wish
from rehearsal.rehearse.telling import RehearsalTeller


def main(arguments: Sequence[str]) -> int:
    """Exit code: 0 fine, 1 a promise was broken or something failed, 2 the input is wrong, 130 stopped."""
    stop_on_sigterm()
    chosen = _parser().parse_args(arguments)
    wish = Wish(
        stack=chosen.stack,
        pods=chosen.pods,
        replicas=chosen.replicas,
        without_overlays=chosen.without_overlays,
        keep=chosen.keep,
    )
    teller = RehearsalTeller(console())
    try:
        result = Rehearsal(wish, teller, hold=_hold).run()
    except (SettingsError, NothingToRehearse) as error:
        print(error, file=sys.stderr)
        return WRONG_INPUT
    except (EngineError, ClusterError, NoEngine) as error:
        print(error, file=sys.stderr)
        return BROKEN
    except KeyboardInterrupt:
        doing = f" during {teller.current}" if teller.current else ""
        print(f"stopped{doing}; nothing is left: the control plane and what was pretended are gone", file=sys.stderr)
        return STOPPED
    teller.closing_rehearsal(result, write_pages(result, Path(chosen.out) if chosen.out else ROOT / ".rehearsal"))
    return BROKEN if result.broken else FINE


def write_pages(result: Result, folder: Path) -> Mapping[str, str]:
    """Writes `result.json`, `result.md`, `result.html` and `chart.svg` under FOLDER/<stack>; what they are → their paths."""
    target = folder / result.stack
    target.mkdir(parents=True, exist_ok=True)
    texts = {
        "record": ("result.json", json.dumps(result_json(result), indent=2, ensure_ascii=False) + "\n"),
        "page": ("result.html", html_page(result)),
        "the same as Markdown": ("result.md", markdown_page(result)),
        "its chart": ("chart.svg", burst_chart(result) + "\n"),
    }
    for name, text in texts.values():
        (target / name).write_text(text, encoding="utf-8")
    return {words: str(target / name) for words, (name, _) in texts.items()}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rehearsal.rehearse",
        description="One stack on a real Kubernetes with a real Karpenter: up, a burst, a slice edit, destroy.",
    )
    parser.add_argument("--stack", metavar="NAME", default="karpenter", help="the stack of Pulumi.NAME.yaml")
    parser.add_argument("--pods", metavar="N", type=_positive, help="pods of the burst; limits are lifted for many")
    parser.add_argument("--replicas", metavar="N", type=_positive, help="slices per GPU after the edit")
    parser.add_argument(
        "--without-overlays",
        action=argparse.BooleanOptionalAction,
        help="also the same burst without NodeOverlays (default: up to 100 pods)",
    )
    parser.add_argument("--keep", action="store_true", help="stay up before destroy, until Ctrl-C or Enter")
    parser.add_argument("--out", metavar="FOLDER", help="where the record and the pages go (default: .rehearsal)")
    return parser


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def _hold() -> None:
    """Until Enter; without a terminal until Ctrl-C."""
    if sys.stdin.isatty():
        input()
    else:
        threading.Event().wait()
