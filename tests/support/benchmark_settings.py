"""A stack with a benchmark, and what is made of it."""

from __future__ import annotations

from typing import Any

from gpu_slices.benchmark_plan import BenchmarkPlan, plan_benchmark
from gpu_slices.manifests.benchmark import Step, benchmark_steps
from tests.support.stacks import plan_of

PHI: dict[str, Any] = {
    "name": "phi-1",
    "model": "microsoft/Phi-3.5-mini-instruct",
    "memoryGiB": 14,
    "kvCacheGiB": 4,
}
BASE: dict[str, Any] = {
    "replicas": 10,
    "systemNodes": {"instanceType": "m7i.large"},
    "gpuNodeGroups": {"l40s": {"instanceType": "g6e.2xlarge"}, "other": {"instanceType": "g6e.4xlarge"}},
    "benchmark": {"pool": "l40s", "models": [PHI, {**PHI, "name": "phi-2"}]},
}


def settings(**changes: Any) -> dict[str, Any]:
    return {**BASE, "benchmark": {**BASE["benchmark"], **changes}}


def planned(raw: dict[str, Any]) -> BenchmarkPlan:
    plan = plan_of(raw)
    found = plan_benchmark(plan.settings, plan.pools)
    assert found
    return found


def steps(**changes: Any) -> tuple[Step, ...]:
    return benchmark_steps(planned(settings(**changes)))


def manifests(kind: str, **changes: Any) -> list[Any]:
    return [step.manifest for step in steps(**changes) if step.manifest["kind"] == kind]


def pod(manifest: Any) -> Any:
    return manifest["spec"]["template"]["spec"]
