"""`bench`: measure what sharing a GPU costs, and report what was measured.

    bench local --device fake --law serial --models 2        check the client against a device of known sharing law
    bench local --device gpu --campaign FILE --records FILE  measure on this machine's GPU (needs PyTorch)
    bench collect --stack NAME                               figures from what the stack's cluster measured
    bench report FILE...                                     figures and plots from raw records

Exit codes: 0 fine, 1 a run failed or was left out, 2 the input is wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import get_args

from . import collect, report
from .campaign import Campaign, CampaignError, read_campaign, sharing_campaign
from .fake_device import LAWS
from .local import Bed, Device, run_campaign
from .measured import write_law
from .metrics import Record, Slo
from .records import RecordError, read_records
from .servers import ServerError
from .sharing import Comparison
from .slice_probe import ProbeError, probe

DEVICES: tuple[Device, ...] = get_args(Device)
FORMATS = ("text", "json", "markdown")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands of `bench`."""
    actions = parser.add_subparsers(dest="action", required=True)
    local = actions.add_parser("local", help="run model servers and the load client on this machine")
    local.add_argument("--device", choices=DEVICES, default="fake", help="fake: known sharing law; gpu, cpu: PyTorch")
    local.add_argument("--law", choices=LAWS, default="serial", help="the fake device's sharing law [serial]")
    local.add_argument("--step-ms", type=float, default=10.0, help="the fake device's time per token [10]")
    local.add_argument("--epsilon", type=float, default=0.0, help="the fake device's cost of sharing [0]")
    local.add_argument("--models", type=int, default=2, help="model servers [2]")
    local.add_argument("--streams", type=int, default=4, help="requests in flight per model [4]")
    local.add_argument("--window-s", type=float, default=2.0, help="measured seconds per run [2]")
    local.add_argument("--warmup-s", type=float, default=0.5, help="load before the window [0.5]")
    local.add_argument("--campaign", type=Path, help="a campaign file instead of --models, --streams and the times")
    local.add_argument("--repeats", default="", metavar="FIRST-LAST", help="only these repeats, as 0-2")
    local.add_argument("--limit-s", type=float, default=3600.0, help="leave out runs that would end later [3600]")
    local.add_argument("--records", type=Path, help="append raw records to this file")
    _add_output(local)
    show = actions.add_parser("report", help="figures from raw records")
    show.add_argument("files", type=Path, nargs="+", help="record files, .jsonl or .jsonl.gz")
    show.add_argument("--plots", type=Path, help="also write SVG plots to this folder (needs matplotlib)")
    show.add_argument("--page", type=Path, help="also renew the tables between the markers of this Markdown page")
    show.add_argument("--measured", action="store_true", help="also renew the law that `advise` uses")
    _add_output(show)
    collect.add_arguments(actions.add_parser("collect", help="what the stack's cluster measured: records and figures"))
    look = actions.add_parser("probe", help="measure the GPU's time slice (needs nvcc)")
    look.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4], help="processes at a time [1 2 4]")
    look.add_argument("--records", type=Path, help="append the measurement to this file")


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--slo-ttft-ms", type=float, default=500.0, help="goodput: first token within [500]")
    parser.add_argument("--slo-tpot-ms", type=float, default=50.0, help="goodput: mean time per token within [50]")
    parser.add_argument("--format", choices=FORMATS, default="text")
    parser.add_argument("--out", type=Path, help="write to this file instead of standard output")


def run(args: argparse.Namespace) -> int:
    """Carry out a sub-command; 0 fine, 1 a run failed or was left out, 2 wrong input."""
    actions: dict[str, Callable[[argparse.Namespace], int]] = {
        "local": _local,
        "collect": collect.run,
        "report": _report,
        "probe": _probe,
    }
    try:
        return actions[args.action](args)
    except (CampaignError, RecordError, ServerError, ProbeError) as problem:
        say(f"error: {problem}")
        return 2


def say(line: str) -> None:
    """Progress and errors, to standard error."""
    print(line, file=sys.stderr, flush=True)


def read_repeats(text: str, campaign: Campaign) -> list[int]:
    """`0-2` to [0, 1, 2]; nothing means all of the campaign's."""
    if not text:
        return list(range(max(cell.repeats for cell in campaign.cells)))
    first, _, last = text.partition("-")
    try:
        return list(range(int(first), int(last or first) + 1))
    except ValueError:
        raise CampaignError(f"--repeats: {text!r} is not FIRST-LAST, such as 0-2") from None


def campaign_of(args: argparse.Namespace) -> Campaign:
    """The campaign file's, or the small one that the options describe."""
    if args.campaign is not None:
        return read_campaign(args.campaign)
    for option, least in (("models", 1), ("streams", 1), ("window_s", 0.1), ("step_ms", 0.1)):
        if getattr(args, option) < least:
            raise CampaignError(f"--{option.replace('_', '-')}: must be at least {least}, got {getattr(args, option)}")
    return sharing_campaign(
        args.models, streams=args.streams, repeats=5, window_s=args.window_s, warmup_s=args.warmup_s
    )


def _local(args: argparse.Namespace) -> int:
    campaign = campaign_of(args)
    bed = Bed(device=args.device, law=args.law, step_ms=args.step_ms, epsilon=args.epsilon)
    with tempfile.TemporaryDirectory() as folder:
        out = args.records or Path(folder) / "records.jsonl"
        log = out.with_name(out.name + ".log")
        records = run_campaign(
            campaign,
            bed,
            out=out,
            log=log,
            repeats=read_repeats(args.repeats, campaign),
            limit_s=args.limit_s,
            say=say,
        )
    _write(args, records, short=args.campaign is None)
    return 1 if report.trouble(records) else 0


def _report(args: argparse.Namespace) -> int:
    records = [record for path in args.files for record in read_records(path)]
    _write(args, records, short=False)
    if args.plots is not None:
        from .plots import draw_all  # matplotlib is a bench-only extra

        for path in draw_all(records, args.plots):
            say(f"wrote {path}")
    if args.page is not None:
        args.page.write_text(report.with_tables(args.page.read_text(encoding="utf-8"), records), encoding="utf-8")
        say(f"wrote {args.page}")
    if args.measured:
        say(f"wrote {write_law(records)}")
    return 0


def _probe(args: argparse.Namespace) -> int:
    found = [probe(count) for count in args.processes]
    for record in found:
        print(json.dumps(record))
    if args.records is not None:
        with args.records.open("a") as file:
            file.writelines(json.dumps(record) + "\n" for record in found)
    return 0


def short_answer(comparison: Comparison | None) -> dict[str, object] | None:
    """The answer of a single sharing question: STP, fairness, each model's slowdown."""
    if comparison is None:
        return None
    return {
        "stp": interval_data(comparison.stp),
        "epsilon": interval_data(comparison.epsilon) if comparison.epsilon else None,
        "jain": comparison.jain.mean,
        "slowdown": {name: interval_data(interval) for name, interval in comparison.slowdown.items()},
        "ideal_slowdown": comparison.ideal,
    }


def interval_data(interval: report.Interval) -> dict[str, float | None]:
    """An interval as JSON has it."""
    return {"mean": interval.mean, "low": interval.low, "high": interval.high}


def _write(args: argparse.Namespace, records: Sequence[Record], *, short: bool) -> None:
    slo = Slo(ttft_s=args.slo_ttft_ms / 1e3, tpot_s=args.slo_tpot_ms / 1e3)
    if args.format == "json":
        shared = [row.comparison for row in report.rows_of(records, slo) if row.condition.name == "shared"]
        answer = short_answer(shared[0]) if short and shared else None
        content = json.dumps(answer or report.summary(records, slo), indent=2) + "\n"
    else:
        content = (report.markdown if args.format == "markdown" else report.text)(records, slo)
    if args.out is None:
        print(content, end="")
    else:
        args.out.write_text(content)


def main(argv: list[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        prog="bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    return run(parser.parse_args(argv))
