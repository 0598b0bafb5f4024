"""The benchmark's objects: every key matters, servers meet on one GPU, phases are those of the experiment."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel

from gpu_slices.bench.client.plan import read_plan
from gpu_slices.benchmark_plan import READY_S
from gpu_slices.manifests.benchmark import benchmark_steps
from gpu_slices.naming import BENCHMARK_PART_LABEL, CAMPAIGN_LABEL, GPU_TOLERATION, POOL_LABEL
from gpu_slices.node_groups import SYSTEM_LABEL, system_nodes
from gpu_slices.settings.benchmark import Benchmark, BenchmarkModel, Load
from rehearsal.kubernetes.objects import problems
from tests.support.benchmark_settings import BASE, PHI, manifests, planned, pod, settings, steps
from tests.support.recordings import strings
from tests.support.stacks import objects_of, plan_of


def command(deployment: Any) -> list[str]:
    return pod(deployment)["containers"][0]["command"]


def option(deployment: Any, name: str) -> str:
    words = command(deployment)
    return words[words.index(name) + 1]


def tgi(*gib: float) -> dict[str, Any]:
    models = [
        {"name": f"m{letter}", "model": "a/m", "memoryGiB": size} for letter, size in zip("abcdef", gib, strict=False)
    ]
    return {"engine": "tgi", "models": models}


def test_a_stack_that_asks_for_none_has_nothing_of_it():
    plain = {key: value for key, value in BASE.items() if key != "benchmark"}
    assert objects_of(plain) == objects_of({**plain, "benchmark": {}})
    assert not [one for one in objects_of(plain) if one["kind"] in ("Deployment", "Job", "Service")]


#: Key → other values for it. A key that changes no object would be a promise not kept.
CHANGES: dict[str, dict[str, Any]] = {
    "pool": {"pool": "other"},
    "engine": tgi(14, 14),
    "models": {"models": [PHI]},
    "promptWords": {"promptWords": 512},
    "outputTokens": {"outputTokens": 32},
    "load": {"load": {"closed": [1, 4]}},
    "load.closed": {"load": {"closed": [4]}},
    "load.open": {"load": {"open": [0.5]}},
    "conditions": {"conditions": ["fresh", "exclusive", "shared"]},
    "repeats": {"repeats": 3},
    "warmupSeconds": {"warmupSeconds": 20},
    "windowSeconds": {"windowSeconds": 30},
    "drainSeconds": {"drainSeconds": 90},
    "seed": {"seed": 7},
    "huggingFaceTokenSecret": {"huggingFaceTokenSecret": "hugging-face"},
    "namespace": {"namespace": "elsewhere"},
    "models.name": {"models": [{**PHI, "name": "phi-7"}, {**PHI, "name": "phi-2"}]},
    "models.model": {"models": [{**PHI, "model": "a/b"}, {**PHI, "name": "b", "model": "a/c"}]},
    "models.revision": {"models": [{**PHI, "revision": "0" * 40}, {**PHI, "name": "b"}]},
    "models.memoryGiB": {"models": [{**PHI, "memoryGiB": 15}, {**PHI, "name": "b"}]},
    "models.kvCacheGiB": {"models": [{**PHI, "kvCacheGiB": 5}, {**PHI, "name": "b"}]},
}


def keys(model: type[BaseModel], prefix: str = "") -> set[str]:
    return {f"{prefix}{field.alias}" for field in model.model_fields.values()}


def test_every_key_is_tried():
    assert set(CHANGES) == keys(Benchmark) | keys(Load, "load.") | keys(BenchmarkModel, "models.")


@pytest.mark.parametrize("key", sorted(CHANGES))
def test_every_key_changes_an_object_and_with_it_the_campaign(key: str):
    raw = settings(**CHANGES[key])
    assert objects_of(raw) != objects_of(BASE)
    if key != "namespace":
        assert campaigns(raw).isdisjoint(campaigns(BASE))


def campaigns(raw: dict[str, Any]) -> set[str]:
    return {
        one["metadata"]["labels"][CAMPAIGN_LABEL]
        for one in objects_of(raw)
        if CAMPAIGN_LABEL in one["metadata"]["labels"]
    }


def test_a_slice_edit_repeats_no_measurement():
    def benchmark_of(replicas: int) -> list[Any]:
        return [step.manifest for step in benchmark_steps(planned({**BASE, "replicas": replicas}))]

    assert benchmark_of(10) == benchmark_of(4)


def test_the_first_servers_selector_changes_with_anything_so_that_everything_begins_anew():
    """A selector cannot be changed: Kubernetes needs a new Deployment, and all else is replaced with it."""
    first, other = (manifests("Deployment", repeats=repeats)[0]["spec"]["selector"] for repeats in (2, 3))
    assert first != other


def test_servers_tolerate_the_taint_choose_the_pool_and_take_one_slice_each():
    for deployment in manifests("Deployment"):
        spec = pod(deployment)
        assert spec["tolerations"] == [dict(GPU_TOLERATION)]
        assert spec["nodeSelector"] == {POOL_LABEL: "l40s"}
        for container in (*spec["initContainers"], *spec["containers"]):
            assert container["resources"]["limits"] == {"nvidia.com/gpu": "1"}
        assert deployment["spec"]["strategy"] == {"type": "Recreate"}


def test_a_slice_has_the_name_that_the_pool_gives_it():
    renamed = {**BASE, "sharing": {"renameResource": True}}
    server = next(one for one in objects_of(renamed) if one["kind"] == "Deployment")
    assert pod(server)["containers"][0]["resources"]["limits"] == {"nvidia.com/gpu.shared": "1"}


def test_every_server_after_the_first_and_the_visitor_go_to_the_firsts_node():
    first, second = manifests("Deployment")
    visit = next(job for job in manifests("Job") if job["metadata"]["name"] == "visit")
    assert "affinity" not in pod(first)
    for manifest in (second, visit):
        (term,) = pod(manifest)["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        assert term["topologyKey"] == "kubernetes.io/hostname"
        assert term["labelSelector"]["matchLabels"].items() <= first["spec"]["template"]["metadata"]["labels"].items()
        assert term["labelSelector"]["matchLabels"][BENCHMARK_PART_LABEL] == "phi-1"


def test_the_client_runs_on_system_nodes_which_carry_the_label_it_asks_for():
    for job in manifests("Job"):
        if job["metadata"]["name"] != "visit":
            assert pod(job)["nodeSelector"] == {SYSTEM_LABEL: system_nodes(plan_of(BASE)).labels[SYSTEM_LABEL]}
            assert "tolerations" not in pod(job)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"repeats": 2}, "phi-1 visit alone-0 alone-1 phi-2 together-0 together-1"),
        ({"repeats": 1, "conditions": ["fresh", "one-server"]}, "phi-1 fresh-0 visit alone-0 phi-2"),
        ({"repeats": 1, "conditions": ["idle-neighbour", "shared"]}, "phi-1 phi-2 together-0"),
        ({"repeats": 1, "models": [PHI]}, "phi-1 fresh-0"),
    ],
)
def test_what_is_measured_alone_is_measured_before_the_next_server_starts(changes: dict[str, Any], expected: str):
    made = [step.manifest for step in steps(**changes) if step.manifest["kind"] in ("Deployment", "Job")]
    assert [one["metadata"]["name"] for one in made] == expected.split()


def test_a_service_comes_after_its_server_because_pulumi_waits_for_a_pod_behind_it():
    order = [(step.manifest["kind"], step.manifest["metadata"]["name"]) for step in steps()]
    for name in ("phi-1", "phi-2"):
        assert order.index(("Deployment", name)) < order.index(("Service", name))
        service = next(one for one in manifests("Service") if one["metadata"]["name"] == name)
        server = next(one for one in manifests("Deployment") if one["metadata"]["name"] == name)
        assert service["spec"]["selector"] == server["spec"]["selector"]["matchLabels"]


def runs(**changes: Any) -> list[dict[str, Any]]:
    return [run for block in planned(settings(**changes)).blocks for run in block.plan["runs"]]


def test_each_condition_drives_what_it_says():
    driven: dict[str, set[tuple[tuple[str, ...], float]]] = {}
    for run in runs(load={"closed": [8]}, conditions=["exclusive", "idle-neighbour", "shared", "one-server"]):
        driven.setdefault(run["condition"], set()).add((tuple(run["drive"]), run["load"]["closed"]))
    assert driven == {
        "exclusive": {(("phi-1",), 8)},
        "idle-neighbour": {(("phi-1",), 8), (("phi-2",), 8)},
        "shared": {(("phi-1", "phi-2"), 8)},
        "one-server": {(("phi-1",), 16)},
    }


def test_without_named_conditions_all_that_fit_are_measured():
    assert {run["condition"] for run in runs()} == {"exclusive", "idle-neighbour", "shared", "one-server"}
    assert {run["condition"] for run in runs(models=[PHI, {**PHI, "name": "b"}])} == {
        "exclusive",
        "idle-neighbour",
        "shared",
    }
    assert {run["condition"] for run in runs(models=[PHI])} == {"fresh"}


def test_a_block_waits_only_for_servers_that_are_there():
    plan = planned(settings())
    assert set(plan.of_phase("alone")[0].plan["targets"]) == {"phi-1"}
    assert set(plan.of_phase("together")[0].plan["targets"]) == {"phi-1", "phi-2"}


def test_a_jobs_deadline_leaves_time_for_all_its_runs():
    jobs = {job["metadata"]["name"]: job for job in manifests("Job")}
    for block in planned(settings()).blocks:
        most = sum(run.limit_s for run in read_plan(block.plan).runs)
        assert jobs[block.name]["spec"]["activeDeadlineSeconds"] >= most + READY_S
    for step in steps():
        if step.manifest["kind"] == "Job":
            assert step.minutes * 60 > step.manifest["spec"]["activeDeadlineSeconds"]
            assert step.manifest["spec"]["backoffLimit"] == 0


def test_the_cache_has_the_same_size_under_every_condition_and_no_prompt_is_served_from_it():
    first, second = manifests("Deployment")
    for deployment in (first, second):
        assert option(deployment, "--kv-cache-memory-bytes") == str(4 * 1024**3)
        assert "--no-enable-prefix-caching" in command(deployment)
    for name in ("--max-model-len", "--max-num-seqs", "--gpu-memory-utilization", "--seed"):
        assert option(first, name) == option(second, name)


def test_vllm_is_told_its_own_share_since_it_refuses_to_start_where_its_default_is_not_free():
    shares = [float(option(one, "--gpu-memory-utilization")) for one in manifests("Deployment")]
    assert shares == [0.313, 0.313]  # 14 of 44.7 GiB


def test_tgi_is_told_a_cumulative_share_since_it_counts_the_memory_of_others_as_its_own():
    first, second, third = (
        float(option(one, "--cuda-memory-fraction")) for one in manifests("Deployment", **tgi(8, 16, 18))
    )
    gpu = 45776 / 1024
    assert first == pytest.approx(8 / (0.9 * gpu), abs=0.001)
    assert second == pytest.approx(24 / (0.9 * gpu), abs=0.001)
    assert third == 1.0  # 42 GiB are more than 0.9 of the GPU: it cannot be told to take more than all


def test_tgi_serves_no_prompt_from_a_cache_and_is_not_asked_for_what_it_cannot_do():
    env = {one["name"]: one["value"] for one in pod(manifests("Deployment", **tgi(8))[0])["containers"][0]["env"]}
    assert env["PREFIX_CACHING"] == "0"
    (target,) = planned(settings(**tgi(8))).blocks[0].plan["targets"].values()
    assert target["body"] == {"ignore_eos": None, "stream_options": {"include_usage": True}}


def test_older_gpus_are_told_a_type_that_they_have():
    old = {**BASE, "gpuNodeGroups": {"l40s": {"instanceType": "g4dn.2xlarge"}}}
    servers = [one for one in objects_of(old) if one["kind"] == "Deployment"]
    assert [option(one, "--dtype") for one in servers] == ["float16", "float16"]
    assert "--dtype" not in command(manifests("Deployment")[0])


def test_a_token_is_only_named():
    (token,) = [
        one
        for one in pod(manifests("Deployment", huggingFaceTokenSecret="hf")[0])["containers"][0]["env"]
        if one["name"] == "HF_TOKEN"
    ]
    assert token["valueFrom"] == {"secretKeyRef": {"name": "hf", "key": "token"}}
    assert not [one for one in objects_of(settings(huggingFaceTokenSecret="hf")) if one["kind"] == "Secret"]


@pytest.mark.parametrize("changes", [{}, tgi(8, 8)])
def test_every_image_is_an_exact_version(changes: dict[str, Any]):
    images = {
        text for step in steps(**changes) for path, text in strings(step.manifest) if path.rpartition(".")[2] == "image"
    }
    assert len(images) == 2
    for image in images:
        assert image.rpartition(":")[2].lstrip("v").count(".") == 2, image


@pytest.mark.parametrize(
    "changes", [{}, tgi(8, 8), {"huggingFaceTokenSecret": "hf", "conditions": ["fresh", "exclusive"]}]
)
def test_the_api_server_would_take_everything(changes: dict[str, Any]):
    for step in steps(**changes):
        group, _, version = step.manifest["apiVersion"].rpartition("/")
        token = f"kubernetes:{group or 'core'}/{version}:{step.manifest['kind']}"
        assert problems(token, step.manifest) == (), step.word


def test_pods_have_no_privilege_and_no_credential():
    for step in steps():
        if step.manifest["kind"] in ("Deployment", "Job"):
            spec = pod(step.manifest)
            assert spec["automountServiceAccountToken"] is False
            assert not [volume for volume in spec["volumes"] if "hostPath" in volume]
            for container in (*spec.get("initContainers", []), *spec["containers"]):
                assert container["securityContext"]["allowPrivilegeEscalation"] is False
                assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
                assert container["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (home,) = manifests("Namespace")
    assert home["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "baseline"


def test_services_set_no_environment_because_one_called_vllm_would_set_vllms_port():
    assert all(pod(one)["enableServiceLinks"] is False for one in (*manifests("Deployment"), *manifests("Job")))


def test_config_maps_are_small_enough_and_named_after_their_content():
    data = {
        one["metadata"]["name"]: one["data"] for one in manifests("ConfigMap", repeats=20, load={"open": [1, 2, 3]})
    }
    assert all(len(json.dumps(one).encode()) < 900 * 1024 for one in data.values())
    mounted = {volume["configMap"]["name"] for job in manifests("Job") for volume in pod(job)["volumes"][:2]}
    assert mounted == {one["metadata"]["name"] for one in manifests("ConfigMap")}
