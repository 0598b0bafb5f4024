"""What holds of every plan, for all catalogue types and random settings (DESIGN's invariants 3, 6, 7 and the product)."""

from __future__ import annotations

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_slices.catalogue import load
from gpu_slices.cloud_refs import placeholders
from gpu_slices.manifests import objects
from gpu_slices.naming import EXCLUSIVE_CONFIG, GPU_RESOURCE, SHARED_GPU_RESOURCE
from gpu_slices.plan import Plan
from tests.support.stacks import SLICEABLE, plan_of, plans, raw_settings


@given(plans)
def test_a_node_advertises_its_gpus_times_the_replicas(plan: Plan):
    for pool in plan.pools:
        for shape in pool.shapes:
            assert dict(shape.advertised) == {pool.resource: shape.instance.gpu_count * pool.replicas}
            assert shape.gpu_memory_mib_per_slice * pool.replicas <= shape.instance.gpu_memory_mib
            assert 0 <= shape.bounds.usable <= shape.bounds.slices


@given(plans)
def test_an_exclusive_pool_has_no_sharing_block_and_a_shared_one_says_the_plans_number(plan: Plan):
    for pool in plan.pools:
        config = yaml.safe_load(plan.plugin_configs[pool.config_key])
        assert ("sharing" in config) == (pool.replicas > 1) == (not pool.exclusive)
        if not pool.exclusive:
            (resource,) = config["sharing"]["timeSlicing"]["resources"]
            assert resource == {"name": GPU_RESOURCE, "replicas": pool.replicas}
            renamed = config["sharing"]["timeSlicing"]["renameByDefault"]
            assert pool.resource == (SHARED_GPU_RESOURCE if renamed else GPU_RESOURCE)


@given(plans)
def test_every_config_is_pointed_at_and_every_pointer_ends_at_a_config(plan: Plan):
    pointed_at = {pool.labels["nvidia.com/device-plugin.config"] for pool in plan.pools}
    assert set(plan.plugin_configs) == pointed_at | {EXCLUSIVE_CONFIG}


@given(plans)
def test_the_plugins_own_rule_of_two_replicas_or_no_block_is_kept(plan: Plan):
    for text in plan.plugin_configs.values():
        for resource in yaml.safe_load(text).get("sharing", {}).get("timeSlicing", {}).get("resources", ()):
            assert isinstance(resource["replicas"], int)
            assert resource["replicas"] >= 2


@given(raw_settings, st.integers(2, 40), st.integers(2, 40))
def test_the_number_itself_is_on_no_label_so_an_edit_of_it_touches_no_node(raw: dict, one: int, two: int):
    def labels(replicas: int) -> dict:
        groups = {name: {**group, "replicas": replicas} for name, group in raw["gpuNodeGroups"].items()}
        return {pool.name: pool.labels for pool in plan_of({**raw, "gpuNodeGroups": groups}).pools}

    assert labels(one) == labels(two)


@given(st.sampled_from(SLICEABLE), st.integers(1, 60))
def test_all_replicas_of_a_gpu_cost_what_the_gpu_costs(instance_type: str, replicas: int):
    plan = plan_of({"replicas": replicas, "gpuNodeGroups": {"a": {"instanceType": instance_type}}})
    (shape,) = plan.pools[0].shapes
    price = load().instances[instance_type].usd_per_hour
    if price is None:
        assert shape.usd_per_slice_hour is None
    else:
        assert abs((shape.usd_per_slice_hour or 0) * shape.bounds.slices - price) < 1e-6 * shape.bounds.slices


@given(plans)
@settings(max_examples=50)
def test_same_settings_same_plan_and_everything_sorted(plan: Plan):
    assert [pool.name for pool in plan.pools] == sorted(pool.name for pool in plan.pools)
    assert list(plan.warnings) == sorted(plan.warnings)
    assert list(plan.plugin_configs) == sorted(plan.plugin_configs)


@given(raw_settings.filter(lambda raw: raw["gpuNodeGroups"]), st.integers(0, 100))
def test_a_quota_grants_the_tenants_own_resources_and_none_of_the_others(raw: dict, slices: int):
    first = sorted(raw["gpuNodeGroups"])[0]
    plan = plan_of({**raw, "tenants": {"team": {"pools": [first], "slices": slices}}})
    resources = {pool.name: pool.resource for pool in plan.pools}
    quota = next(o for o in objects(plan, placeholders(plan)) if o["kind"] == "ResourceQuota")["spec"]["hard"]
    assert quota[f"requests.{resources[first]}"] == str(slices)
    for resource in {*resources.values(), GPU_RESOURCE} - {resources[first]}:
        assert quota[f"requests.{resource}"] == "0"
