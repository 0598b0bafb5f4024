"""Whether a cluster's benchmark was the experiment that it should be: one GPU, this order, everything whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from . import report
from .cluster_evidence import Evidence, ServerEvidence

if TYPE_CHECKING:
    from ..benchmark_plan import BenchmarkPlan


def judge(plan: BenchmarkPlan, evidence: Evidence) -> Iterator[str]:
    """One line for everything that is not as the experiment needs it."""
    yield from _servers_ran(plan, evidence)
    yield from _one_gpu(evidence)
    yield from _jobs_ended(plan, evidence)
    yield from _in_order(plan, evidence)
    yield from _caches_hold(plan, evidence)
    yield from report.trouble([record for job in evidence.jobs.values() for record in job.records])


def _servers_ran(plan: BenchmarkPlan, evidence: Evidence) -> Iterator[str]:
    for planned in plan.servers:
        server = evidence.servers.get(planned.name)
        if server is None or server.started is None:
            yield f"server {planned.name} does not run"
        elif server.restarts:
            yield f"server {planned.name} was restarted {server.restarts} times: its runs are not of one process"


def _one_gpu(evidence: Evidence) -> Iterator[str]:
    for name, server in evidence.servers.items():
        if len(server.gpus) != 1:
            yield f"server {name} sees {len(server.gpus)} GPUs instead of one"
    seen = {name: server.gpus[0].split(",")[0] for name, server in evidence.servers.items() if server.gpus}
    if len(set(seen.values())) > 1:
        yield f"the servers were not on one GPU: {', '.join(f'{name} on {uuid}' for name, uuid in seen.items())}"


def _jobs_ended(plan: BenchmarkPlan, evidence: Evidence) -> Iterator[str]:
    from ..manifests.benchmark import VISIT_NAME

    expected = {block.name: block.runs for block in plan.blocks}
    for name in [*expected, *([VISIT_NAME] if plan.visited else [])]:
        job = evidence.job(name)
        if job.state != "done" or job.trouble:
            yield f"Job {name}: {job.trouble or job.state}"
        elif len(job.records) != expected.get(name, 0):
            yield f"Job {name}: {len(job.records)} of {expected[name]} runs are in its log"


def _in_order(plan: BenchmarkPlan, evidence: Evidence) -> Iterator[str]:
    """First server, fresh, visit, alone, others, together: read from the times that Kubernetes noted."""
    from ..manifests.benchmark import VISIT_NAME

    first, *others = [evidence.servers.get(server.name) for server in plan.servers]
    rest = [(server.name, found) for server, found in zip(plan.servers[1:], others, strict=True)]
    visit = evidence.job(VISIT_NAME)
    for block in plan.blocks:
        job = evidence.job(block.name)
        if job.started is None or job.ended is None:
            continue
        if _after(_start(first), job.started):
            yield f"Job {block.name} began before the first server that runs now"
        for name, server in rest:
            if block.phase == "together" and _after(_start(server), job.started):
                yield f"Job {block.name} began before server {name}"
            if block.phase != "together" and _after(job.ended, _start(server)):
                yield f"Job {block.name} was not alone on the GPU: server {name} was there before it ended"
        if block.phase == "fresh" and _after(job.ended, visit.started):
            yield f"Job {block.name} ended after the visit that it must come before"
        if block.phase == "alone" and _after(visit.ended, job.started):
            yield f"Job {block.name} began before the visit had ended"


def _start(server: ServerEvidence | None) -> str | None:
    return server.started if server else None


def _after(one: str | None, other: str | None) -> bool:
    """Whether one time is later than another; not known counts as no. RFC 3339 in UTC sorts as text."""
    return one is not None and other is not None and one > other


def _caches_hold(plan: BenchmarkPlan, evidence: Evidence) -> Iterator[str]:
    """A cache too small for the streams would make requests wait, which would read as the price of sharing."""
    records = [record for job in evidence.jobs.values() for record in job.records]
    counted = [row["prompt_tokens"] for record in records for row in record["requests"] if row["prompt_tokens"]]
    each = max(counted, default=plan.max_model_len - plan.campaign.output_tokens) + plan.campaign.output_tokens
    for index, planned in enumerate(plan.servers):
        server = evidence.servers.get(planned.name)
        streams = [
            int(cell.load["closed"])
            for cell in plan.campaign.cells
            if "closed" in cell.load and (index == 0 or cell.condition != "one-server")
        ]
        needed = max(streams, default=0) * each
        if server is None or server.started is None:
            continue
        if server.cache_tokens is None and plan.settings.engine == "tgi":
            yield f"server {planned.name}: its log does not say how much its KV cache holds, which TGI decides by itself"
        elif server.cache_tokens is not None and server.cache_tokens < needed:
            yield (
                f"server {planned.name}: its KV cache holds {server.cache_tokens} tokens, its streams need {needed}: "
                "give it more memory, or fewer streams"
            )
