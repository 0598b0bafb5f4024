"""The benchmark on one machine: model servers as local processes, the load client as another, records to a file.

On a bare GPU machine this exercises what Kubernetes time-slicing exercises: several ordinary CUDA processes on one
GPU, which its driver slices by time. It exercises neither containers nor a cluster's network nor a real serving engine.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean
from time import monotonic
from typing import Literal

from .campaign import Campaign, Cell, capacity_cells, run_of, stages
from .fake_device import Law
from .gpu_sampler import FACTS, Sampler, query
from .metrics import Record, run_figures
from .servers import REPOSITORY, Child, ServerError

Device = Literal["fake", "gpu", "cpu"]
START_S = 240.0
READY_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Bed:
    """What the campaign runs on. `law`, `step_ms` and `epsilon` are the fake device's."""

    device: Device
    law: Law = "serial"
    step_ms: float = 10.0
    epsilon: float = 0.0


@dataclass
class Session:
    """A campaign in progress: servers up, records so far, and the file every record is appended to at once."""

    campaign: Campaign
    bed: Bed
    out: Path
    log: Path
    say: Callable[[str], None]
    records: list[Record] = field(default_factory=list)
    urls: dict[str, str] = field(default_factory=dict)
    children: list[Child] = field(default_factory=list)
    stale: bool = False

    def keep(self, record: Record) -> None:
        """Add a record, and append it to the file at once."""
        self.records.append(record)
        with self.out.open("a") as file:
            file.write(json.dumps(record, separators=(",", ":")) + "\n")

    def stop(self) -> None:
        """End all model servers."""
        for child in self.children:
            child.stop()


def environment(campaign: Campaign, bed: Bed) -> Record:
    """Where and with what this was measured. No host name, user or path."""
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        git = ["git", "rev-parse", "--short", "HEAD"]
        commit = subprocess.run(git, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.strip()
        return {**_machine(campaign, bed), "commit": commit}
    return _machine(campaign, bed)


def _machine(campaign: Campaign, bed: Bed) -> Record:
    return {
        "kind": "environment",
        "device": bed.device,
        "bed": asdict(bed),
        "campaign": asdict(campaign),
        "gpu": query(FACTS),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "kernel": platform.release(),
    }


def start_fake(session: Session, servers: int) -> None:
    """Start the fake device with all its servers."""
    bed = session.bed
    arguments = [
        "--models",
        str(servers),
        "--law",
        bed.law,
        "--step-ms",
        str(bed.step_ms),
        "--epsilon",
        str(bed.epsilon),
    ]
    child = Child("gpu_slices.bench.fake_device", arguments, session.log)
    session.children.append(child)
    for number, port in enumerate(child.announced(START_S)["ports"]):
        session.urls[f"model-{number}"] = f"http://127.0.0.1:{port}/v1/completions"


def start_decoders(session: Session, servers: int) -> None:
    """Bring the number of decoder servers up to `servers`, all new ones at once; note the GPU memory then held."""
    campaign = session.campaign
    cuda = session.bed.device == "gpu"
    sizes = ["--slots", str(campaign.max_batch), "--prompt", str(campaign.prompt_words)]
    sizes += ["--length", str(campaign.prompt_words + campaign.output_tokens + 8)]
    place = ["--mode", campaign.mode, "--device", "cuda" if cuda else "cpu"]
    models = [campaign.models[number % len(campaign.models)] for number in range(servers)]
    new: list[tuple[str, Child]] = []
    for number in range(len(session.urls), servers):
        arguments = ["--model", models[number] if cuda else "tiny", *place, *sizes]
        new.append((f"{models[number]}-{number}", Child("gpu_slices.bench.decoder_server", arguments, session.log)))
    session.children.extend(child for _, child in new)
    facts: list[Record] = []
    for name, child in new:
        announced = child.announced(START_S)
        facts.append(announced)
        session.urls[name] = f"http://127.0.0.1:{announced['port']}/v1/completions"
    held = query(("memory.used",))
    if new:
        session.keep({"kind": "servers", "servers": servers, "memory_used_mib": held, "new": facts})


def end_freshness(session: Session) -> None:
    """Let a second server come and go once, if none has yet: see `fresh` in `campaign`."""
    if len(session.children) == 1 and not session.stale:
        start_decoders(session, 2)
        session.children.pop().stop()
        session.urls.popitem()
    session.stale = True


def capacity_of(session: Session) -> float | None:
    """Requests per second of one exclusive server, from this session's closed-loop runs with the most streams."""
    cells = capacity_cells(session.campaign.cells)
    if not cells:
        return None
    label = max(cells, key=lambda cell: cell.load["closed"]).label
    figures = [
        run_figures(record).token_rate
        for record in session.records
        if record["kind"] == "run" and record["status"] == "ok"
        if (record["condition"], record["labels"].get("load")) == ("exclusive", label)
    ]
    return fmean(figures) / session.campaign.output_tokens if figures else None


def client_records(plan: Record, session: Session) -> Iterator[Record]:
    """Run the load client as its own process, as a cluster's Job does; its records as they come."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.json"
        path.write_text(json.dumps(plan))
        command = [sys.executable, "-m", "gpu_slices.bench.client", "--plan", str(path), "--ready-s", str(READY_S)]
        with session.log.open("a") as log:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, cwd=REPOSITORY, text=True)
        try:
            with process.stdout or contextlib.nullcontext(()) as lines:
                for line in lines:
                    yield json.loads(line)
        finally:
            process.terminate()
            process.wait()


def left_out(cell: Cell, repeat: int, why: str) -> Record:
    """The record of a run that was not made."""
    return {"kind": "left-out", "condition": cell.condition, "servers": cell.servers, "load": cell.label,
            "repeat": repeat, "why": why}  # fmt: skip


def length_s(cell: Cell) -> float:
    """What a run usually takes: open load may queue and then drains long, closed load drains in one request's time."""
    return cell.warmup_s + cell.window_s + cell.drain_s * (0.1 if "closed" in cell.load else 0.3)


def run_stage(session: Session, runs: Sequence[tuple[Cell, int]], sampler: Sampler, deadline: float) -> None:
    """Make the runs for which there is time; the others are recorded as left out."""
    chosen: list[tuple[Cell, int]] = []
    end = monotonic()
    for cell, repeat in runs:
        end += length_s(cell)
        if end > deadline:
            session.keep(left_out(cell, repeat, "time limit of the session"))
        else:
            chosen.append((cell, repeat))
    if not chosen:
        return
    capacity = capacity_of(session)
    targets = list(session.urls)
    plan = {
        "seed": session.campaign.seed,
        "targets": {name: {"url": url} for name, url in session.urls.items()},
        "runs": [run_of(session.campaign, cell, repeat, targets, capacity) for cell, repeat in chosen],
    }
    for record in client_records(plan, session):
        record["gpu"] = sampler.means(record["zero"], record["zero"] + record["window_s"])
        session.keep(record)
        state = "ok" if record["status"] == "ok" else "FAILED: " + "; ".join(record["problems"])
        what = f"{record['condition']}, {record['servers']} on the GPU, {record['labels']['load']}"
        session.say(f"{what}, repeat {record['repeat']}: {state}")


def run_campaign(
    campaign: Campaign,
    bed: Bed,
    *,
    out: Path,
    log: Path,
    repeats: Sequence[int],
    limit_s: float,
    say: Callable[[str], None],
) -> list[Record]:
    """Carry out a campaign; every record is in `out` as soon as it exists, whatever happens later.

    Servers that do not come up (ten models may not fit the GPU's memory) are a result: their runs are left out, with
    the reason.
    """
    deadline = monotonic() + limit_s
    session = Session(campaign=campaign, bed=bed, out=out, log=log, say=say)
    session.keep(environment(campaign, bed))
    sampler = Sampler()
    planned = stages(campaign, repeats)
    try:
        if bed.device == "fake":
            start_fake(session, max(stage.servers for stage in planned))
        for stage in planned:
            try:
                if bed.device != "fake":
                    start_decoders(session, stage.servers)
                    if not stage.fresh:
                        end_freshness(session)
            except ServerError as problem:
                say(f"{stage.servers} model servers: {problem}")
                for cell, repeat in stage.runs:
                    session.keep(left_out(cell, repeat, str(problem)))
                continue
            say(f"{stage.servers} model servers up, {len(stage.runs)} runs")
            run_stage(session, stage.runs, sampler, deadline)
    finally:
        sampler.stop()
        session.stop()
    return session.records
