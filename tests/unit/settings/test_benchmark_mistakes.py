"""What a person reads who made a mistake in `benchmark`, and what they are warned of."""

from __future__ import annotations

from typing import Any

import pytest

from gpu_slices.settings import SettingsError, parse
from tests.support.benchmark_settings import BASE, PHI, settings
from tests.support.stacks import plan_of

DEEPSEEK: dict[str, Any] = {"name": "deepseek", "model": "deepseek-ai/R1", "memoryGiB": 22, "kvCacheGiB": 4}
FOUR_GPUS = {"gpuNodeGroups": {"l40s": {"instanceType": "g6e.12xlarge"}}}
TWO_KINDS = {"gpuNodePools": {"mixed": {"families": ["g5", "g6"], "gpusPerNode": [1], "maxGpus": 2}}}


def mistakes(raw: dict[str, Any]) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        parse({"aws:region": "us-west-2", **raw}, stack="test")
    return [str(mistake) for mistake in refused.value.mistakes]


@pytest.mark.parametrize(
    ("raw", "key", "words"),
    [
        (settings(pool="l40"), "pool", "no GPU pool 'l40'; did you mean \"l40s\"?"),
        ({**settings(), **FOUR_GPUS}, "pool", "g6e.12xlarge has several GPUs: the servers could land on different"),
        ({**settings(pool="mixed"), **TWO_KINDS}, "pool", "mixed has different GPUs (A10G, L4)"),
        ({**settings(), "replicas": 1}, "models", "2 slices of one GPU are needed, l40s has 1"),
        ({**settings(models=[PHI], conditions=["exclusive"]), "replicas": 1}, "models", "2 slices of one GPU"),
        (settings(models=[]), "models", "name at least 1"),
        (settings(models=[PHI], conditions=["shared"]), "conditions", "nobody to share with"),
        (settings(models=[PHI], conditions=["exclusive", "one-server"]), "conditions", "nobody to share with"),
        (settings(conditions=["shared"]), "conditions", "nothing to be compared with"),
        (settings(models=[PHI, DEEPSEEK], conditions=["exclusive", "shared"]), "conditions", "add idle-neighbour"),
        (
            settings(models=[PHI, DEEPSEEK], conditions=["idle-neighbour", "one-server"]),
            "conditions",
            "the models differ",
        ),
        (settings(conditions=["exclusive", "exclusive"]), "conditions", "exclusive stands there twice"),
        (settings(conditions=["alone"]), "conditions[0]", "'alone' is not one of the choices"),
        (settings(models=[PHI, PHI]), "models[1].name", "the name 'phi-1' is used twice"),
        (
            settings(models=[PHI, {**PHI, "name": "phi-2", "model": "a/b"}]),
            "models[1].name",
            "read as copies of one model and are not",
        ),
        (settings(models=[{**PHI, "name": "4b"}]), "models[0].name", "start with a letter"),
        (settings(models=[{**PHI, "model": "phi"}]), "models[0].model", "not a Hugging Face model"),
        (settings(models=[{**PHI, "revision": "main"}]), "models[0].revision", "branches move"),
        (settings(models=[{**PHI, "memoryGiB": 0}]), "models[0].memoryGiB", "not a number above 0"),
        (settings(models=[{**PHI, "kvCacheGiB": 14}]), "models[0].kvCacheGiB", "nothing of memoryGiB 14"),
        (
            settings(models=[{key: PHI[key] for key in PHI if key != "kvCacheGiB"}]),
            "models[0].kvCacheGiB",
            "is missing; write the same cache",
        ),
        (settings(engine="tgi", models=[PHI]), "models[0].kvCacheGiB", "TGI sizes its cache by itself"),
        (settings(engine="sglang"), "engine", "'vllm' or 'tgi'"),
        (settings(load={"closed": [], "open": []}), "load", "neither closed nor open"),
        (settings(load={"closed": [1, 1]}), "load.closed", "1 stands there twice"),
        (settings(load={"open": [0]}), "load.open[0]", "not a number above 0"),
        (settings(windowSeconds=1), "windowSeconds", "at least 5"),
        (settings(namespace="kube-system"), "namespace", "system namespace"),
        ({**settings(namespace="team"), "tenants": {"team": {"slices": 1}}}, "namespace", "a tenant's"),
        (settings(huggingFaceTokenSecret="hf_ABC"), "huggingFaceTokenSecret", "not a Kubernetes name"),
        (settings(promptwords=3), "promptwords", 'did you mean "promptWords"?'),
    ],
)
def test_each_mistake_names_its_key_and_what_to_write(raw: dict[str, Any], key: str, words: str):
    (line,) = mistakes(raw)
    assert line.startswith(f"benchmark.{key}: ")
    assert words in line


@pytest.mark.parametrize("kind", ["t3.large", "t4g.large"])
def test_a_burstable_system_node_is_refused_only_while_a_client_would_run_on_it(kind: str):
    (line,) = mistakes({**settings(), "systemNodes": {"instanceType": kind}})
    assert line.startswith("systemNodes.instanceType: ")
    assert "CPU credits" in line
    assert "m7i.large" in line
    parse({"aws:region": "us-west-2", "systemNodes": {"instanceType": kind}}, stack="test")


def test_a_wrong_pool_key_hides_no_mistake_of_the_models():
    lines = mistakes(settings(pool="l40", models=[PHI, PHI]))
    assert [line.split(":")[0] for line in lines] == ["benchmark.models[1].name", "benchmark.pool"]


def test_numbers_may_come_as_text_because_config_set_stores_them_so():
    raw = settings(repeats="3", load={"open": ["0.5"]}, models=[{**PHI, "memoryGiB": "14.5"}])
    benchmark = parse({"aws:region": "us-west-2", **raw}, stack="test").benchmark
    assert benchmark
    assert (benchmark.repeats, benchmark.load.open, benchmark.models[0].memory_gib) == (3, (0.5,), 14.5)


def told(raw: dict[str, Any], key: str) -> list[str]:
    return [warning.message for warning in plan_of(raw).warnings if warning.path == key]


def test_what_it_takes_is_said_before_anything_is_spent():
    """Ten runs a repeat: exclusive, one server with all streams, two idle neighbours, shared, each under two loads."""
    (line,) = told(settings(repeats=2), "benchmark")
    assert "waits for 20 runs, 24 minutes of load at the least, on a GPU node of $2.24 an hour" in line


def test_a_stack_without_a_benchmark_is_told_nothing_of_it():
    plain = {key: value for key, value in BASE.items() if key != "benchmark"}
    assert not [warning for warning in plan_of(plain).warnings if warning.path.startswith("benchmark")]


@pytest.mark.parametrize(
    ("engine", "gib", "warned"), [("vllm", 22, False), ("vllm", 23, True), ("tgi", 20, False), ("tgi", 21, True)]
)
def test_servers_that_do_not_fit_are_told_with_numbers(engine: str, gib: int, warned: bool):
    model = {"model": "a/m", "memoryGiB": gib, **({"kvCacheGiB": 2} if engine == "vllm" else {})}
    raw = settings(engine=engine, models=[{**model, "name": "m-1"}, {**model, "name": "m-2"}])
    lines = told(raw, "benchmark.models")
    assert bool(lines) == warned
    if warned:
        assert f"{2 * gib} GiB of memoryGiB on a GPU that offers" in lines[0]


def test_whoever_may_disturb_the_measurement_is_named():
    tenants = {"a": {"slices": 1}, "b": {"slices": 1, "pools": ["other"]}, "c": {"slices": 1, "pools": ["l40s"]}}
    (line,) = told({**settings(), "tenants": tenants}, "benchmark.pool")
    assert line.startswith("pods of a, c may take slices of l40s too")
