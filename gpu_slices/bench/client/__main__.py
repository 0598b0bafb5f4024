"""`python -m FOLDER --plan plan.json`: wait for the targets, carry out the plan, write one JSON line per run.

Exit code 0: every run is sound; 1: some run failed (its record says why); 2: the plan is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from time import monotonic
from typing import Any

from .drive import request_of, resolve
from .plan import Plan, Target, read_plan
from .record import run_once
from .stream import Exchange

READY_PAUSE_S = 1.0


async def is_ready(target: Target, limit_s: float) -> str | None:
    """None once the target has streamed a two-token reply; the last error when it has not within `limit_s`."""
    end, error = monotonic() + limit_s, "not tried"
    while monotonic() < end:
        try:
            exchange = Exchange(await resolve(target), request_of(target, "ready to serve", 2))
            waiter = asyncio.get_running_loop().call_later(
                max(0.1, end - monotonic()), exchange.cut, "no reply in time"
            )
            error = (await exchange.run()).error
            waiter.cancel()
        except OSError as problem:
            error = str(problem)
        if error is None:
            return None
        await asyncio.sleep(min(READY_PAUSE_S, max(0.0, end - monotonic())))
    return error


async def carry_out(plan: Plan, ready_s: float, out: Any) -> bool:
    """Run after run, one flushed line each; whether all are sound."""
    errors = await asyncio.gather(*(is_ready(target, ready_s) for target in plan.targets.values()))
    for target, error in zip(plan.targets, errors, strict=True):
        if error is not None:
            print(f"{target} was not ready within {ready_s:g} s: {error}", file=sys.stderr)
    sound = True
    for index, run in enumerate(plan.runs):
        record = await run_once(run, index, plan.targets, plan.seed)
        sound &= record["status"] == "ok"
        print(json.dumps(record, separators=(",", ":")), file=out, flush=True)
        state = "ok" if record["status"] == "ok" else "FAILED: " + "; ".join(record["problems"])
        what = f"{run.condition} {len(run.drive)} of {run.servers} driven, {run.load}, repeat {run.repeat}"
        print(f"[{index + 1}/{len(plan.runs)}] {what}: {state}", file=sys.stderr, flush=True)
    return sound


def main(argv: list[str] | None = None) -> int:
    """Carry out a plan from the command line."""
    parser = argparse.ArgumentParser(prog="load client", description=__doc__)
    parser.add_argument("--plan", type=Path, required=True, help="JSON file: seed, targets, runs")
    parser.add_argument("--out", type=Path, help="file the records are appended to (standard output when absent)")
    parser.add_argument("--ready-s", type=float, default=600.0, help="how long to wait for the targets [600]")
    args = parser.parse_args(argv)
    try:
        plan = read_plan(json.loads(args.plan.read_text()))
    except (OSError, ValueError) as problem:
        print(f"{args.plan}: {problem}", file=sys.stderr)
        return 2
    if args.out is None:
        return 0 if asyncio.run(carry_out(plan, args.ready_s, sys.stdout)) else 1
    with args.out.open("a") as out:
        return 0 if asyncio.run(carry_out(plan, args.ready_s, out)) else 1


if __name__ == "__main__":
    sys.exit(main())
