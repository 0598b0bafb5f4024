"""`bench collect`: brings a cluster's records home, and shows figures only if the experiment was what it should be."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from . import report
from .cluster_evidence import Api, Evidence, Labels, read_evidence
from .cluster_verdict import judge
from .metrics import Record
from .records import write_records

if TYPE_CHECKING:
    from ..benchmark_plan import BenchmarkPlan

FINE: Final = 0
NO_FIGURES: Final = 1
WRONG_INPUT: Final = 2
FORMATS: Final[Mapping[str, Callable[[list[Record]], str]]] = {
    "text": report.text,
    "json": lambda records: json.dumps(report.summary(records), indent=2) + "\n",
    "markdown": report.markdown,
}


class NothingToCollect(Exception):  # noqa: N818 - it is no error of the program's
    """There is no benchmark to collect; one line says why."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of `bench collect`. Imports nothing that a bare GPU machine might lack."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--stack", metavar="NAME", help="the stack whose Pulumi.NAME.yaml lies in this folder")
    which.add_argument("--file", metavar="PATH", type=Path, help="a stack file anywhere")
    parser.add_argument("--kubeconfig", metavar="FILE", type=Path, help="default: $KUBECONFIG, else ~/.kube/config")
    parser.add_argument("--context", metavar="NAME", help="of the kubeconfig; default: its current context")
    parser.add_argument(
        "--records", metavar="FILE", type=Path, help="write the raw records there (.jsonl or .jsonl.gz)"
    )
    parser.add_argument("--format", choices=tuple(FORMATS), default="text", help="default: text")
    parser.add_argument("--out", metavar="FILE", type=Path, help="write there instead of to the terminal")


def run(args: argparse.Namespace) -> int:
    """0 figures shown, 1 records that no figure may be taken from, 2 nothing to collect or no cluster."""
    from ..checks.cluster_api import ClusterApi, ClusterError
    from ..settings import SettingsError

    try:
        stack, plan = _plan_of(args)
        records, problems = collect(ClusterApi(kubeconfig=args.kubeconfig, context=args.context), stack, plan)
        if args.records is not None:
            write_records(args.records, records)
            _say(f"wrote {len(records)} records to {args.records}")
        if not problems:
            _write(FORMATS[args.format](records), args.out)
    except (ClusterError, NothingToCollect, SettingsError) as problem:
        _say(str(problem))
        return WRONG_INPUT
    except OSError as problem:
        _say(f"{problem.filename}: {problem.strerror}")
        return WRONG_INPUT
    for line in problems:
        _say(line)
    if problems:
        _say("no figure is shown from this")
    return NO_FIGURES if problems else FINE


def collect(api: Api, stack: str, plan: BenchmarkPlan) -> tuple[list[Record], list[str]]:
    """All records, an `environment` first, and why no figure may be taken from them (empty: they are sound).

    Raises NothingToCollect, and what the Api raises.
    """
    from ..manifests.benchmark import campaign_of
    from ..naming import BENCHMARK_LABEL, BENCHMARK_PART_LABEL, CAMPAIGN_LABEL

    namespace, campaign = plan.settings.namespace, campaign_of(plan)
    evidence = read_evidence(
        api,
        namespace=namespace,
        labels=Labels(part=BENCHMARK_LABEL, name=BENCHMARK_PART_LABEL, campaign=CAMPAIGN_LABEL),
        campaign=campaign,
        engine=plan.settings.engine,
        blocks=[block.name for block in plan.blocks],
    )
    if not evidence.campaigns:
        raise NothingToCollect(
            f"nothing of a benchmark is in namespace {namespace}: is this the cluster of stack {stack}, and was it up?"
        )
    if campaign not in evidence.campaigns:
        raise NothingToCollect(
            f"namespace {namespace} holds a benchmark of other settings ({', '.join(evidence.campaigns)}; the stack file "
            f"says {campaign}): write the settings it ran with, or run `pulumi up`"
        )
    runs = [record for block in plan.blocks for record in evidence.job(block.name).records]
    return [_environment(stack, plan, campaign, evidence), *runs], list(judge(plan, evidence))


def _environment(stack: str, plan: BenchmarkPlan, campaign: str, evidence: Evidence) -> Record:
    from ..manifests.model_servers import ENGINES, GPU_FACTS

    facts = [server.gpus[0].split(", ") for server in evidence.servers.values() if server.gpus]
    servers: list[dict[str, Any]] = [
        {
            **planned.model.model_dump(by_alias=True),
            "memoryFraction": planned.memory_fraction,
            "pod": asdict(found) if (found := evidence.servers.get(planned.name)) else None,
        }
        for planned in plan.servers
    ]
    return {
        "kind": "environment",
        "device": "cluster",
        "stack": stack,
        "campaign_id": campaign,
        "campaign": asdict(plan.campaign),
        "engine": plan.settings.engine,
        "image": ENGINES[plan.settings.engine].image,
        "pool": plan.pool.name,
        "replicas": plan.pool.replicas,
        "instance_types": list(plan.pool.instance_types),
        "gpu": dict(zip(GPU_FACTS, facts[0], strict=False)) if facts else {},
        "servers": servers,
    }


def _plan_of(args: argparse.Namespace) -> tuple[str, BenchmarkPlan]:
    from ..benchmark_plan import plan_benchmark
    from ..cli.command import plan_of

    plan = plan_of(args)
    benchmark = plan_benchmark(plan.settings, plan.pools)
    if benchmark is None:
        raise NothingToCollect(f"stack {plan.stack} has no benchmark: write the key `benchmark`, then `pulumi up`")
    return plan.stack, benchmark


def _write(text: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
