"""What a load client in a cluster needs: its own files, and a plan that loads each model server alone, then all together."""

from __future__ import annotations

import random
from collections.abc import Mapping
from importlib.resources import files
from typing import Any


def client_files() -> dict[str, str]:
    """File name → text of the load client, standard library only.

    Mounted flat into one folder `NAME`, they run as `python -m NAME --plan PLAN` from the folder above, on Python 3.11
    or newer; records go to standard output, progress to standard error.
    """
    folder = files("gpu_slices.bench.client")
    found = {item.name: item.read_text(encoding="utf-8") for item in folder.iterdir() if item.name.endswith(".py")}
    return dict(sorted(found.items()))


def cluster_plan(
    targets: Mapping[str, Mapping[str, Any]],
    *,
    streams: int = 8,
    repeats: int = 5,
    prompt_words: int = 128,
    output_tokens: int = 128,
    warmup_s: float = 10.0,
    window_s: float = 60.0,
    seed: int = 1,
) -> dict[str, Any]:
    """The load client's plan for model servers that are all up on one GPU, as JSON data.

    `targets` are the plan's (name → url, model, body); "x-0" and "x-1" are two servers of one model x. Per repeat and in
    drawn order: each alone while the others idle, and all together if there are several. The report compares the two.
    """
    common = {
        "load": {"closed": streams},
        "servers": len(targets),
        "prompt_words": prompt_words,
        "output_tokens": output_tokens,
        "warmup_s": warmup_s,
        "window_s": window_s,
        "labels": {"mode": "cluster", "load": f"closed {streams:g}"},
    }
    alone = "idle-neighbour" if len(targets) > 1 else "exclusive"
    runs: list[dict[str, Any]] = []
    for repeat in range(repeats):
        block = [{"condition": alone, "drive": [name]} for name in sorted(targets)]
        block += [{"condition": "shared", "drive": sorted(targets)}] if len(targets) > 1 else []
        random.Random(f"{seed}/{repeat}").shuffle(block)
        runs += [{**run, "repeat": repeat, **common} for run in block]
    return {"seed": seed, "targets": {name: dict(target) for name, target in sorted(targets.items())}, "runs": runs}
