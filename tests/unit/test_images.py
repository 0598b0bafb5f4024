"""Digests: they reach every place where their image is named, and no other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from gpu_slices.charts import releases
from gpu_slices.cloud_refs import placeholders
from gpu_slices.images import KARPENTER_CONTROLLER, known_images, pinned
from gpu_slices.manifests import objects
from gpu_slices.versions import DEVICE_PLUGIN, PYTHON_IMAGE, VLLM_IMAGE
from tests.support.stacks import ROOT, plan_of

DIGEST = f"sha256:{'b' * 64}"
PLUGIN = f"nvcr.io/nvidia/k8s-device-plugin:v{DEVICE_PLUGIN.version}"
MODEL = {"model": "a/m", "memoryGiB": 4, "kvCacheGiB": 1}
BASE: dict[str, Any] = {
    "systemNodes": {"instanceType": "m7i.large"},
    "gpuNodeGroups": {"a": {"instanceType": "g6.xlarge", "replicas": 3}},
    "gpuNodePools": {"burst": {"families": ["g6"], "gpusPerNode": [1], "maxGpus": 2}},
    "tenants": {"team": {"pools": ["a"], "slices": 3}},
    "workloads": {name: {"pool": "a", "tenant": "team", "pods": 1} for name in ("cifar10", "cuda", "smoke")},
    "benchmark": {"pool": "a", "models": [{"name": "m", **MODEL}, {"name": "n", **MODEL}]},
}


def images(value: Any) -> Iterator[str]:
    """Every `image:` of some manifests."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "image" and isinstance(inner, str):
                yield inner
            else:
                yield from images(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from images(inner)


def with_digests(digests: Mapping[str, str], **changes: Any) -> Any:
    return plan_of({**BASE, **changes, "security": {"digests": dict(digests)}})


def test_every_image_that_the_program_names_itself_can_have_a_digest():
    plan = with_digests(dict.fromkeys(known_images(), DIGEST))
    named = set(images(objects(plan, placeholders(plan))))
    assert {name.partition("@")[0] for name in named} >= {VLLM_IMAGE, PYTHON_IMAGE}
    assert {name for name in named if not name.endswith(f"@{DIGEST}")} == set()


def test_a_digest_is_for_its_image_only():
    plan = with_digests({VLLM_IMAGE: DIGEST})
    named = set(images(objects(plan, placeholders(plan))))
    assert {name for name in named if "@" in name} == {f"{VLLM_IMAGE}@{DIGEST}"}


def test_another_image_of_the_model_server_is_another_experiment():
    def campaigns(digests: Mapping[str, str]) -> set[str]:
        plan = with_digests(digests)
        found = [one["metadata"].get("labels", {}) for one in objects(plan, placeholders(plan))]
        return {labels["gpu-slices/campaign"] for labels in found if "gpu-slices/campaign" in labels}

    assert campaigns({}) != campaigns({VLLM_IMAGE: DIGEST})
    assert campaigns({}) == campaigns({PLUGIN: DIGEST})


@pytest.mark.parametrize("stack", ["device-plugin", "gpu-operator"])
def test_charts_get_a_digest_by_values_that_they_have(stack: str):
    changes: dict[str, Any] = {"gpuStack": stack, "monitoring": {"enabled": True}}
    plan = with_digests(dict.fromkeys(known_images(), DIGEST), **changes)
    plain = {one.name: one.values for one in releases(with_digests({}, **changes), placeholders(plan))}
    for release in releases(plan, placeholders(plan)):
        known = (ROOT / f"tests/data/value_paths/{release.pin.chart}-{release.pin.version}.txt").read_text().split()
        changed = dict(differences(plain[release.name], release.values))
        assert set(changed) <= set(known)
        assert all(str(value).endswith(DIGEST) for value in changed.values())
        assert bool(changed) == (release.name not in ("karpenter-crd", "kube-prometheus-stack"))


def differences(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Path and new value of every leaf that differs."""
    if isinstance(new, Mapping):
        for key, inner in new.items():
            before = old.get(key) if isinstance(old, Mapping) else None
            yield from differences(before, inner, f"{path}.{key}".removeprefix("."))
    elif old != new:
        yield path, new


def test_karpenters_controller_is_told_the_bare_digest_of_its_pinned_version():
    plan = with_digests({KARPENTER_CONTROLLER: DIGEST})
    values = next(one.values for one in releases(plan, placeholders(plan)) if one.name == "karpenter")
    assert values["controller"]["image"] == {"digest": DIGEST}


def test_nothing_is_pinned_twice_or_half():
    manifest = {"spec": {"containers": [{"image": "a:1"}, {"image": "a:10"}], "image": {"image": "a:1"}}}
    assert pinned(manifest, {"a:1": DIGEST}) == {
        "spec": {"containers": [{"image": f"a:1@{DIGEST}"}, {"image": "a:10"}], "image": {"image": f"a:1@{DIGEST}"}}
    }


def test_agents_of_optional_parts_cost_the_nodes_what_they_ask_for():
    small = {"instanceType": "g4dn.xlarge", "replicas": 9, "podRequests": {"cpu": "400m"}}
    pools = {"gpuNodeGroups": {"a": small}}
    everything = {
        "cluster": {"optionalAddons": ["amazon-cloudwatch-observability", "aws-ebs-csi-driver", "aws-fsx-csi-driver"]},
        "security": {"guardDuty": True},
    }
    (before,) = plan_of(pools).pools[0].shapes
    (after,) = plan_of({**pools, **everything}).pools[0].shapes
    assert after.bounds.usable < before.bounds.usable
