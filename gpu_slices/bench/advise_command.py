"""`advise`: how many replicas fit a GPU, and what that many mean for latency.

    advise --model-memory 7GiB --instance-type g6e.2xlarge --latency-ms 600

Exit codes: 0 fine, 1 the model does not fit any of the types, 2 the input is wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from gpu_slices.catalogue import InstanceType, load
from gpu_slices.quantities import mebibytes

from .advise import Advice, Slowdown, advise
from .measured import MeasuredLaw, load_law

DEFAULT_TYPES = ("g4dn.xlarge", "g5.2xlarge", "g6.2xlarge", "g6e.2xlarge", "p5.48xlarge")


class AdviceError(ValueError):
    """An option is wrong; the text says which, and what to write."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `advise`."""
    law = load_law()
    parser.add_argument("--model-memory", required=True, metavar="GIB", help="weights and cache of one replica: 7GiB")
    parser.add_argument("--instance-type", nargs="+", default=list(DEFAULT_TYPES), help="types to look at")
    parser.add_argument("--busy", type=float, default=1.0, help="share of time the model alone keeps the GPU busy [1]")
    parser.add_argument("--latency-ms", type=float, help="a request's latency alone, to be multiplied")
    parser.add_argument(
        "--process-memory", default=f"{law.process_mib}Mi", help=f"GPU memory of a process itself [{law.process_mib}Mi]"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--out", type=Path, help="write to this file instead of standard output")


def run(args: argparse.Namespace) -> int:
    """Print the advice; 0 fine, 1 fits nowhere, 2 wrong input."""
    law = load_law()
    try:
        found = _advise(args, law)
    except AdviceError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    if args.format == "json":
        content = json.dumps({"measured": asdict(law), "advice": [asdict(item) for item in found]}, indent=2) + "\n"
    else:
        content = as_text(found, law, args.latency_ms)
    if args.out is None:
        print(content, end="")
    else:
        args.out.write_text(content)
    return 0 if any(item.fits for item in found) else 1


def _advise(args: argparse.Namespace, law: MeasuredLaw) -> list[Advice]:
    if not 0 < args.busy <= 1:
        raise AdviceError(f"--busy: a share above 0 and at most 1 is needed, got {args.busy}")
    if args.latency_ms is not None and args.latency_ms <= 0:
        raise AdviceError(f"--latency-ms: must be above 0, got {args.latency_ms}")
    model, process = _memory("--model-memory", args.model_memory), _memory("--process-memory", args.process_memory)
    return advise(_types(args.instance_type), model_mib=model, process_mib=process, busy=args.busy, law=law)


def _memory(option: str, text: str) -> int:
    try:
        found = mebibytes(text.strip().removesuffix("B"))
    except ValueError:
        raise AdviceError(f"{option}: {text!r} is no amount of memory; write 7GiB or 7000MiB") from None
    if option == "--model-memory" and found == 0:
        raise AdviceError(f"{option}: must be above 0, got {text}")
    return found


def _types(names: Sequence[str]) -> list[InstanceType]:
    catalogue = load()
    types: list[InstanceType] = []
    for name in names:
        if name not in catalogue.instances:
            near = ", ".join(catalogue.nearest(name))
            raise AdviceError(
                f"--instance-type: {name} is not in the catalogue" + (f"; near it: {near}" if near else "")
            )
        if catalogue.instances[name].fractional:
            raise AdviceError(f"--instance-type: {name} carries a fraction of a GPU, which is not shared further")
        types.append(catalogue.instances[name])
    return types


def slowdown_text(item: Slowdown, latency_ms: float | None) -> str:
    """One line for one number of replicas; two digits, since another GPU and engine will differ by more."""
    if item.models == 1:
        return f"{item.models:4} replica   no sharing"
    if item.low is None or item.high is None:
        return f"{item.models:4} replicas  not measured for so many: no figure"
    expected = (item.low + item.high) / 2
    if latency_ms is None:
        return f"{item.models:4} replicas  about {expected:.2g} × the latency alone (ideal sharing: {item.ideal:.2g} ×)"
    return (
        f"{item.models:4} replicas  about {two_digits(expected * latency_ms)} ms instead of {latency_ms:g} ms "
        f"(ideal sharing: {two_digits(item.ideal * latency_ms)} ms)"
    )


def two_digits(value: float) -> str:
    """1334 → `1300`, 12.34 → `12`."""
    return f"{float(f'{value:.2g}'):g}"


def as_text(found: Sequence[Advice], law: MeasuredLaw, latency_ms: float | None) -> str:
    """The advice in lines, then what it rests on."""
    lines: list[str] = []
    for item in found:
        lines.append(
            f"{item.instance_type}: {item.gpu}, {item.gpu_memory_mib / 1024:.1f} GiB per GPU; "
            f"{item.replica_mib / 1024:.1f} GiB a replica: {item.fits} fit"
        )
        lines += [slowdown_text(one, latency_ms) for one in item.slowdowns]
    low, high = (min(pair[0] for pair in law.epsilon.values()), max(pair[1] for pair in law.epsilon.values()))
    counts = ", ".join(str(count) for count in sorted(law.epsilon))
    lines += [
        "",
        "Latency while all replicas are busy; those that are idle cost nothing but their memory.",
        f"Measured: ε {low:.1%} to {high:.1%} with {counts} models on an {law.gpu} ({law.engine}; {law.load}).",
    ]
    if not all(item.measured_here for item in found):
        lines.append("Other GPUs were not measured: take the N-fold part as a law and ε as an indication.")
    return "\n".join(lines) + "\n"
