"""One run as a record: what came back, and whether figures may be taken from it. See `run_once` for the shape."""

from __future__ import annotations

import gc
from collections import Counter
from itertools import pairwise
from time import monotonic, process_time
from typing import Any

from .drive import Driver, Row
from .plan import Run, Target

BAD_SHARE = 0.01  # of a target's requests may fail, be cut or have a wrong length before the run counts as failed


def row_record(row: Row, zero: float) -> dict[str, Any]:
    """One request as JSON: seconds relative to the window's start; `gaps_us`, microseconds between tokens."""
    arrivals = row.reply.arrivals
    status = "cut" if row.cut else "error" if row.reply.error else "ok"
    return {
        "id": row.id,
        "target": row.target,
        "asked": row.asked,
        "status": status,
        **({"error": row.reply.error} if status == "error" else {}),
        "scheduled": round(row.scheduled - zero, 6),
        "started": round(row.started - zero, 6),
        "sent": round(row.reply.sent - zero, 6) if row.reply.sent is not None else None,
        "first": round(arrivals[0] - zero, 6) if arrivals else None,
        "gaps_us": [round((later - earlier) * 1e6) for earlier, later in pairwise(arrivals)],
        "prompt_tokens": row.reply.prompt_tokens,
        "completion_tokens": row.reply.completion_tokens,
    }


def judge(driver: Driver) -> list[str]:
    """Why no figure may be taken from this run; empty when it is sound."""
    problems = list(driver.problems)
    for target in driver.targets:
        rows = [row for row in driver.rows if row.target == target.name and driver.in_window(row.scheduled)]
        failed = [row.reply.error for row in rows if row.reply.error and not row.cut]
        cut = sum(row.cut for row in rows)
        whole = [row for row in rows if row.reply.error is None]
        wrong = sum(len(row.reply.arrivals) != row.asked for row in whole)
        if not whole:
            problems.append(f"{target.name}: no request of the window ended well")
        if len(failed) > BAD_SHARE * len(rows):
            common = ", ".join(f"{text} ×{count}" for text, count in Counter(failed).most_common(3))
            problems.append(f"{target.name}: {len(failed)} of {len(rows)} requests failed: {common}")
        if cut > BAD_SHARE * len(rows):
            problems.append(f"{target.name}: {cut} of {len(rows)} requests had not ended when the drain did")
        if wrong > BAD_SHARE * len(rows):
            problems.append(f"{target.name}: {wrong} of {len(whole)} replies are not as long as asked")
    return problems


async def run_once(run: Run, index: int, targets: dict[str, Target], seed: int) -> dict[str, Any]:
    """Carry out one run, in at most `run.limit_s` plus connection time.

    Returns the record: the run's own fields, `status` ("ok", or "failed" with `problems`: then no figure may be taken
    from it), `zero` (the window's start on this machine's monotonic clock), `client` (CPU share of one core, event-loop
    lag) and `requests`, those of the window and those whose tokens reach into it.
    """
    driver = Driver(run, index, targets, seed)
    gc.collect()
    gc.disable()
    cpu, wall = process_time(), monotonic()
    try:
        await driver.drive()
    except OSError as problem:
        driver.problems.append(f"cannot resolve a target: {problem}")
    finally:
        gc.enable()
    cpu_share = (process_time() - cpu) / max(1e-9, monotonic() - wall)
    problems = judge(driver)
    zero = driver.zero
    rows = [row for row in driver.rows if row.scheduled >= zero or (row.reply.arrivals or (0.0,))[-1] >= zero]
    lags = sorted(driver.lags) or [0.0]
    return {
        "kind": "run",
        "index": index,
        "condition": run.condition,
        "servers": run.servers,
        "repeat": run.repeat,
        "drive": list(run.drive),
        "load": {run.load.kind: run.load.level},
        "labels": run.labels,
        "prompt_words": run.prompt_words,
        "output_tokens": run.output_tokens,
        "warmup_s": run.warmup_s,
        "window_s": run.window_s,
        "seed": seed,
        "status": "failed" if problems else "ok",
        "problems": problems,
        "zero": zero,
        "client": {"cpu": round(cpu_share, 4), "loop_lag_p99_ms": round(lags[int(0.99 * (len(lags) - 1))] * 1e3, 3)},
        "requests": [row_record(row, zero) for row in sorted(rows, key=lambda row: (row.target, row.scheduled))],
    }
