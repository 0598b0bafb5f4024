"""The benchmark in the program: off unless asked for, and in the order of the experiment."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as k8s
import pytest

from components.benchmark import Benchmark, BenchmarkArgs
from gpu_slices.manifests.benchmark import benchmark_steps
from gpu_slices.plan import Plan
from rehearsal.answers import Declared
from rehearsal.recorder import Recording, record
from tests.support.benchmark_settings import planned, settings
from tests.support.recordings import ADDON, MANAGED_NODES, NODE_POOL, RELEASE, behind, recording
from tests.support.stacks import STACKS, plan_of_stack

DEPLOYMENT, JOB, SERVICE = "kubernetes:apps/v1:Deployment", "kubernetes:batch/v1:Job", "kubernetes:core/v1:Service"


def order_of(plan: Plan) -> list[str]:
    """Names of the first server's Deployment to the last Job, as they must come."""
    repeats = range(plan.settings.benchmark.repeats if plan.settings.benchmark else 0)
    alone, together = ([f"job-{phase}-{repeat}" for repeat in repeats] for phase in ("alone", "together"))
    return ["server-phi", "service-phi", "job-visit", *alone, "server-deepseek", "service-deepseek", *together]


@pytest.fixture(scope="module")
def recorded() -> Recording:
    return recording("benchmark")


def only(recorded: Recording, word: str) -> Declared:
    (found,) = [one for one in recorded.resources if one.name == f"platform-benchmark-{word}"]
    return found


@pytest.mark.parametrize("stack", STACKS)
def test_nothing_of_it_is_declared_unless_the_stack_asks(stack: str):
    asked = plan_of_stack(stack).settings.benchmark is not None
    found = [one for one in recording(stack).resources if one.name.startswith("platform-benchmark")]
    assert bool(found) == asked


def test_each_phase_waits_for_the_one_before_it(recorded: Recording):
    names = order_of(plan_of_stack("benchmark"))
    urns = [only(recorded, name).urn for name in names]
    assert len(urns) == len(recorded.of(DEPLOYMENT)) + len(recorded.of(JOB)) + len(recorded.of(SERVICE))
    for index, urn in enumerate(urns):
        before = behind(recorded, recorded.by_urn[urn])
        assert set(urns[:index]) <= before, names[index]
        assert before.isdisjoint(urns[index:])


def test_servers_come_after_nodes_plugin_and_dns_and_go_before_them(recorded: Recording):
    before = behind(recorded, only(recorded, "server-phi"))
    for needed in (*recorded.of(MANAGED_NODES), *recorded.of(RELEASE), *recorded.of(ADDON)):
        assert needed.urn in before, needed.name


def test_jobs_are_awaited_and_a_failed_one_is_made_again(recorded: Recording):
    for job in recorded.of(JOB):
        annotations = job.inputs["metadata"]["annotations"]
        assert annotations["pulumi.com/replaceUnready"] == "true"
        assert "pulumi.com/skipAwait" not in annotations


def launched(name: str) -> Recording:
    """The platform with its GPU nodes launched by Karpenter."""
    from rehearsal.project import project_program, stack_config, with_setting

    config = with_setting(stack_config(name), "gpuNodeGroups", None, "gpu-slices")
    pool = {"families": ["g6e"], "gpusPerNode": [1], "sizes": ["2xlarge"], "maxGpus": 1}
    config = with_setting(config, "gpuNodePools", {"l40s": pool}, "gpu-slices")
    return record(project_program(), stack=name, config=config)


def test_servers_go_before_the_pool_whose_nodes_they_would_keep_from_draining():
    recorded = launched("benchmark")
    (pool,) = recorded.of(NODE_POOL)
    assert pool.urn in behind(recorded, only(recorded, "server-phi"))


def test_it_works_in_somebody_elses_program():
    def program() -> None:
        provider = k8s.Provider("theirs", kubeconfig="{}")
        home = k8s.core.v1.Namespace("their-own", opts=pulumi.ResourceOptions(provider=provider))
        args = BenchmarkArgs(steps=benchmark_steps(planned(settings(repeats=1))), after=[home])
        Benchmark("part", args, pulumi.ResourceOptions(providers=[provider]))

    recorded = record(program, project="their-project", stack="their-stack", config={})
    (part,) = [one for one in recorded.resources if one.type == "gpu-slices:index:Benchmark"]
    inside = [one for one in recorded.resources if one.parent == part.urn]
    assert part.closed
    assert len(inside) == len(benchmark_steps(planned(settings(repeats=1))))
    (first,) = recorded.of("kubernetes:core/v1:Namespace", "their-own")
    assert all(first.urn in one.dependencies for one in inside)
    assert all(one.provider.split("::")[-2] == "theirs" for one in inside)
