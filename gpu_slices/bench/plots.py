"""Plots of the records as SVG. matplotlib is needed here only (requirements-bench.txt)."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .metrics import Record, RunFigures
from .records import sound_runs
from .rows import Row, pooled, rows_of
from .sharing import BASELINES, pairs_of
from .stats import percentile

COLOURS = {"graph": "#1f5fa8", "eager": "#c8641b"}
NAMES = {"graph": "CUDA graphs", "eager": "eager"}
GREY = "#777777"
LOAD = "closed 8"
STREAMS = 8
ECDF_POINTS = 300


def _figure(title: str, x: str, y: str) -> tuple[Any, Any]:
    matplotlib: Any = importlib.import_module("matplotlib")
    matplotlib.use("Agg")
    pyplot: Any = importlib.import_module("matplotlib.pyplot")
    pyplot.rcParams.update({"svg.hashsalt": "gpu-slices", "svg.fonttype": "path", "font.size": 10})
    figure, axes = pyplot.subplots(figsize=(7, 4.2), layout="constrained")
    axes.set_title(title, fontsize=11, loc="left")
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(visible=True, color="#dddddd", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _save(figure: Any, path: Path) -> Path:
    kind = path.suffix.removeprefix(".")
    figure.savefig(path, format=kind, **({"metadata": {"Date": None}} if kind == "svg" else {"dpi": 110}))
    importlib.import_module("matplotlib.pyplot").close(figure)
    return path


def _shared(rows: Sequence[Row], mode: str) -> list[Row]:
    """Equal models sharing under the plotted load, by their number."""
    return [
        row
        for row in rows
        if (row.condition.mode, row.condition.name, row.condition.load) == (mode, "shared", LOAD)
        if len(set(row.condition.models)) == 1 and row.comparison is not None
    ]


def _modes(rows: Sequence[Row]) -> list[str]:
    return [mode for mode in COLOURS if _shared(rows, mode)]


def slowdown(rows: Sequence[Row], runs: Sequence[RunFigures], path: Path) -> Path:
    """Request latency over latency alone against the number of models; a dot per run, ideal sharing dashed."""
    figure, axes = _figure("Latency when N saturating models share one GPU", "models on the GPU (N)", "slowdown")
    alone = [run for run in runs if run.condition in BASELINES]
    for mode in _modes(rows):
        found = [(1, 1.0, 1.0)]
        for row in _shared(rows, mode):
            seen = row.comparison
            assert seen is not None
            found.append((seen.driven, seen.antt.mean, seen.ideal or 1.0))
            for run in runs:
                if (run.mode, run.condition, run.load, run.models) == (mode, "shared", LOAD, row.condition.models):
                    dots = [pair.slowdown() for pair in pairs_of(run, alone)]
                    axes.plot([seen.driven] * len(dots), dots, ".", color=COLOURS[mode], alpha=0.35, markersize=5)
        numbers, means, ideals = zip(*found, strict=True)
        axes.plot(numbers, means, "-o", color=COLOURS[mode], label=_with_busy(rows, mode), markersize=4)
        axes.plot(numbers, ideals, "--", color=COLOURS[mode], linewidth=1, label="  ideal sharing of the same")
    axes.set_xticks([1, 2, 4, 10])
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=9)
    return _save(figure, path)


def throughput(rows: Sequence[Row], path: Path) -> Path:
    """Tokens per second of all models over one alone, beside one server that gets all the requests."""
    figure, axes = _figure(
        "Throughput of the whole GPU, over one model alone", "models on the GPU (N), 8 streams each", "ratio"
    )
    for mode in _modes(rows):
        points = [(1, 1.0, 1.0, 1.0)]
        for row in _shared(rows, mode):
            stp = row.comparison.stp if row.comparison else None
            assert stp is not None
            points.append((row.condition.servers, stp.mean, stp.low or stp.mean, stp.high or stp.mean))
        numbers, means, lows, highs = (list(column) for column in zip(*points, strict=True))
        axes.plot(numbers, means, "-o", color=COLOURS[mode], label=f"{mode}: N models time-slicing", markersize=4)
        axes.fill_between(numbers, lows, highs, color=COLOURS[mode], alpha=0.2, linewidth=0)
        one = next(row for row in rows if _is_alone(row, mode))
        control = [
            (float(row.condition.load.split()[1]) / STREAMS, row.token_rate.mean / one.token_rate.mean)
            for row in rows
            if (row.condition.mode, row.condition.name) == (mode, "one-server")
        ]
        if control:
            xs, ys = zip(*sorted([(1.0, 1.0), *control]), strict=True)
            axes.plot(xs, ys, ":s", color=COLOURS[mode], markersize=4, label=f"{mode}: one server, N × 8 streams")
    axes.axhline(1.0, color=GREY, linewidth=1, linestyle="--")
    axes.set_xticks([1, 2, 4, 10])
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=9)
    return _save(figure, path)


def _with_busy(rows: Sequence[Row], mode: str) -> str:
    busy = next(row for row in rows if _is_alone(row, mode)).gpu.get("utilization.gpu")
    return NAMES[mode] if busy is None else f"{NAMES[mode]} (alone the GPU is busy {busy:.0f} % of the time)"


def _is_alone(row: Row, mode: str) -> bool:
    condition = row.condition
    return (condition.mode, condition.name, condition.load) == (mode, BASELINES[0], LOAD)


def token_gaps(runs: Sequence[RunFigures], path: Path) -> Path:
    """Share of token gaps up to a length, with graphs: alone and shared."""
    figure, axes = _figure(
        "Time between two tokens of a request (CUDA graphs, 8 streams per model)", "milliseconds", "share of gaps"
    )
    for number, shade in ((1, 0.25), (2, 0.5), (4, 0.75), (10, 1.0)):
        wanted = ("exclusive", 1) if number == 1 else ("shared", number)
        chosen = [
            run
            for run in runs
            if (run.mode, run.load, (run.condition, len(run.targets))) == ("graph", LOAD, wanted)
            if len(set(run.models)) == 1
        ]
        if not chosen:
            continue
        gaps = pooled(chosen, "itl")
        shares = [place / ECDF_POINTS for place in range(ECDF_POINTS + 1)]
        label = "one model alone" if number == 1 else f"{number} models"
        axes.plot(
            [percentile(gaps, share) for share in shares], shares, color=COLOURS["graph"], alpha=shade, label=label
        )
    axes.set_xlim(left=0)
    axes.legend(frameon=False, fontsize=9)
    return _save(figure, path)


def first_token(rows: Sequence[Row], path: Path) -> Path:
    """Median time to first token against the total offered load: one server, and two that share its GPU."""
    figure, axes = _figure(
        "Time to first token against the load offered to the GPU (Poisson arrivals)",
        "offered load, % of what one model alone can serve",
        "median ms (log)",
    )
    offered = [row for row in rows if row.condition.load.endswith("each")]
    styles = (
        ("exclusive", "#2a7f3f", "one server gets all requests"),
        ("shared", COLOURS["graph"], "two servers share"),
    )
    for name, colour, label in styles:
        points = sorted(
            (
                float(row.condition.load.split()[1].rstrip("%")) * len(row.condition.models),
                row.ttft_p50,
                row.ideal_open.ttft_p50 * 1e3 if row.ideal_open else None,
            )
            for row in offered
            if row.condition.name == name
        )
        if points:
            loads, seen, ideal = zip(*points, strict=True)
            axes.plot(loads, seen, "-o", color=colour, label=label, markersize=4)
            axes.plot(loads, ideal, "--", color=colour, linewidth=1, label="  ideal sharing, same arrivals")
    axes.axvline(100, color=GREY, linewidth=1, linestyle=":")
    axes.set_yscale("log")
    axes.legend(frameon=False, fontsize=9)
    return _save(figure, path)


def draw_all(records: Sequence[Record], folder: Path, kind: str = "svg") -> list[Path]:
    """Write every plot that the records hold data for; the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    rows, runs = rows_of(records), sound_runs(records)
    written: list[Path] = []
    if _modes(rows):
        written.append(slowdown(rows, runs, folder / f"sharing-slowdown.{kind}"))
        written.append(throughput(rows, folder / f"sharing-throughput.{kind}"))
    if any((run.mode, run.load, run.condition) == ("graph", LOAD, "exclusive") for run in runs):
        written.append(token_gaps(runs, folder / f"sharing-token-gaps.{kind}"))
    if any(row.condition.load.endswith("each") for row in rows):
        written.append(first_token(rows, folder / f"sharing-first-token.{kind}"))
    return written
