"""Which runs are made, in which order: cells × repeats, in stages of a growing number of model servers.

A campaign file (JSON) is committed beside the results it led to:

    {"mode": "graph", "seed": 1, "models": ["3b"], "max_batch": 80, "prompt_words": 128, "output_tokens": 128,
     "cells": [{"condition": "exclusive", "servers": 1, "load": {"closed": 8}, "repeats": 5, "window_s": 8},
               {"condition": "shared", "servers": 2, "load": {"closed": 8}, "repeats": 5},
               {"condition": "shared", "servers": 2, "load": {"open_share": 0.3}, "repeats": 3}]}

`shared` drives all servers, `exclusive` and `one-server` the only one, `idle-neighbour` one (`first`) while others
idle. `fresh` is `exclusive` before any second process has ever been on the GPU beside it; for the others a second one
has come and gone, because that alone changes the speed of the first (measured; docs/benchmark.md).
`models` are given to the servers in turn. `open_share` is a share of the capacity that this campaign's exclusive
closed-loop runs measured, so those come first. Within a stage repeats are blocks, ordered inside by the seed.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

CONDITIONS = ("fresh", "exclusive", "idle-neighbour", "one-server", "shared")
ALONE = ("fresh", "exclusive", "one-server")


class CampaignError(ValueError):
    """The campaign is wrong; the text names the place and says what to write."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One condition under one load, to be repeated. `load` has one key: closed, open or open_share."""

    condition: str
    servers: int
    load: dict[str, float]
    repeats: int = 5
    first: int = 0
    warmup_s: float = 2.0
    window_s: float = 8.0
    drain_s: float = 10.0

    @property
    def needs_capacity(self) -> bool:
        """Whether the load is a share of a capacity yet to be measured."""
        return "open_share" in self.load

    @property
    def label(self) -> str:
        """The load's name in records and tables."""
        kind, level = next(iter(self.load.items()))
        return f"open {level:.0%} each" if kind == "open_share" else f"{kind} {level:g}"


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """All cells, and what every run of them has in common."""

    cells: tuple[Cell, ...]
    mode: str = "graph"
    seed: int = 1
    models: tuple[str, ...] = ("3b",)
    max_batch: int = 8
    prompt_words: int = 128
    output_tokens: int = 128


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Runs made while `servers` model servers are up. `open_share` ones come in a stage of their own, later."""

    servers: int
    fresh: bool = False
    runs: tuple[tuple[Cell, int], ...] = field(default_factory=tuple)


def read_cell(data: object, where: str) -> Cell:
    """Check and type one cell; `where` names it in errors."""
    if not isinstance(data, dict):
        raise CampaignError(f"{where}: an object is needed, got {data!r}")
    if unknown := sorted(set(data) - {item.name for item in fields(Cell)}):
        raise CampaignError(f"{where}: unknown key {unknown[0]!r}")
    if data.get("condition") not in CONDITIONS:
        raise CampaignError(f"{where}.condition: {data.get('condition')!r} is none of {', '.join(CONDITIONS)}")
    load = data.get("load")
    if not isinstance(load, dict) or len(load) != 1 or next(iter(load)) not in ("closed", "open", "open_share"):
        raise CampaignError(f'{where}.load: write {{"closed": 8}}, {{"open": 2.5}} or {{"open_share": 0.3}}')
    cell = Cell(**data)
    if cell.condition in ALONE and cell.servers != 1:
        raise CampaignError(f"{where}.servers: {cell.condition} means one server on the GPU, got {cell.servers}")
    if not 0 <= cell.first < cell.servers:
        raise CampaignError(f"{where}.first: counts from 0 and is below servers ({cell.servers}), got {cell.first}")
    if cell.condition in ("shared", "idle-neighbour") and cell.servers < 2:
        raise CampaignError(f"{where}.servers: {cell.condition} needs two servers or more")
    return cell


def read_campaign(path: Path) -> Campaign:
    """Read a campaign file.

    Raises:
        CampaignError: the file cannot be read, or what it says is wrong.
    """
    try:
        data = json.loads(path.read_text())
    except (OSError, ValueError) as problem:
        raise CampaignError(f"{path}: {problem}") from None
    if not isinstance(data, dict) or not data.get("cells"):
        raise CampaignError(f"{path}: cells: at least one is needed")
    if unknown := sorted(set(data) - {item.name for item in fields(Campaign)}):
        raise CampaignError(f"{path}: unknown key {unknown[0]!r}")
    cells = tuple(read_cell(cell, f"{path}: cells[{index}]") for index, cell in enumerate(data["cells"]))
    if any(cell.needs_capacity for cell in cells) and not capacity_cells(cells):
        raise CampaignError(f"{path}: open_share needs an exclusive closed-loop cell to take the capacity from")
    models = data.get("models", ["3b"])
    if not isinstance(models, list) or not models or not all(isinstance(model, str) for model in models):
        raise CampaignError(f'{path}: models: write a list of names, such as ["3b"]')
    return Campaign(**{**data, "cells": cells, "models": tuple(models)})


def capacity_cells(cells: Iterable[Cell]) -> list[Cell]:
    """The cells whose runs measure an exclusive server's capacity."""
    return [cell for cell in cells if cell.condition == "exclusive" and "closed" in cell.load]


def sharing_campaign(models: int, *, streams: int, repeats: int, window_s: float, warmup_s: float) -> Campaign:
    """The smallest campaign that answers the question: each model alone, then all together, saturating."""
    times = {"warmup_s": warmup_s, "window_s": window_s, "repeats": repeats}
    load = {"closed": float(streams)}
    shared = (Cell(condition="shared", servers=models, load=load, **times),) if models > 1 else ()
    alone = Cell(condition="exclusive", servers=1, load=load, **times)
    return Campaign(mode="", cells=(alone, *shared), prompt_words=16, output_tokens=16)


def stages(campaign: Campaign, repeats: Sequence[int]) -> list[Stage]:
    """Fresh ones first, then by number of servers, saturating before those that need the capacity; given repeats only."""
    keys = {(cell.condition != "fresh", cell.servers, cell.needs_capacity) for cell in campaign.cells}
    planned: list[Stage] = []
    for key in sorted(keys):
        cells = [
            cell for cell in campaign.cells if (cell.condition != "fresh", cell.servers, cell.needs_capacity) == key
        ]
        runs: list[tuple[Cell, int]] = []
        for repeat in repeats:
            block = [(cell, repeat) for cell in cells if repeat < cell.repeats]
            random.Random(f"{campaign.seed}/{key}/{repeat}").shuffle(block)
            runs.extend(block)
        if runs:
            planned.append(Stage(servers=key[1], fresh=not key[0], runs=tuple(runs)))
    return planned


def run_of(
    campaign: Campaign, cell: Cell, repeat: int, targets: Sequence[str], capacity: float | None
) -> dict[str, Any]:
    """A run as the load client's plan has it. `capacity`: requests per second of one exclusive server, if known."""
    drive = list(targets[: cell.servers]) if cell.condition == "shared" else [targets[cell.first]]
    load = dict(cell.load)
    if cell.needs_capacity:
        if capacity is None:
            raise CampaignError(f"{cell.label}: no exclusive closed-loop run has measured the capacity yet")
        load = {"open": round(cell.load["open_share"] * capacity, 4)}
    return {
        "condition": cell.condition,
        "servers": cell.servers,
        "repeat": repeat,
        "drive": drive,
        "load": load,
        "prompt_words": campaign.prompt_words,
        "output_tokens": campaign.output_tokens,
        "warmup_s": cell.warmup_s,
        "window_s": cell.window_s,
        "drain_s": cell.drain_s,
        "labels": {"mode": campaign.mode, "load": cell.label},
    }
