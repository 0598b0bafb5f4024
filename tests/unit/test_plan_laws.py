"""What holds of every plan, for all catalogue types and random settings (DESIGN's invariants 3, 6, 7 and the product)."""

from __future__ import annotations

from collections import Counter

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_slices.catalogue import load
from gpu_slices.cloud_refs import placeholders
from gpu_slices.manifests import objects
from gpu_slices.mig_layouts import mig_layouts
from gpu_slices.naming import EXCLUSIVE_CONFIG, GPU_RESOURCE
from gpu_slices.plan import Plan
from gpu_slices.pool_plan import PoolPlan
from tests.support.stacks import plan_of, plans, raw_settings


@given(plans)
def test_a_node_advertises_its_gpus_or_their_instances_times_the_replicas(plan: Plan):
    for pool in plan.pools:
        for shape in pool.shapes:
            assert dict(shape.advertised) == expected(pool, shape.instance.gpu_count)
            assert sorted(pool.resources) == sorted(shape.advertised)
            whole = shape.instance.gpu_count * shape.instance.gpu_memory_mib
            assert sum(one.count * one.gpu_memory_mib for one in shape.slices) <= whole
            for one in shape.slices:
                assert 0 <= one.bounds.usable <= one.count == one.bounds.slices


def expected(pool: PoolPlan, gpus: int) -> dict[str, int]:
    """Resource name → count, from the settings alone."""
    layout = pool.sharing.mig
    suffix = ".shared" if pool.replicas > 1 and pool.sharing.rename_resource else ""
    if pool.sharing.strategy != "mig" or layout is None:
        return {GPU_RESOURCE + suffix: gpus * pool.replicas}
    parts = [(one.count, one.profiles) for one in layout.gpus] or [(gpus, layout.profiles)]
    found: Counter[str] = Counter()
    for count, profiles in parts:
        for profile, instances in profiles.items():
            mixed = f"nvidia.com/mig-{profile.replace('+', '.')}"
            found[(GPU_RESOURCE if layout.strategy == "single" else mixed) + suffix] += (
                count * instances * pool.replicas
            )
    return dict(found)


@given(plans)
def test_what_is_not_multiplied_has_no_sharing_block_and_the_rest_says_the_plans_number(plan: Plan):
    for pool in plan.pools:
        config = yaml.safe_load(plan.plugin_configs[pool.config_key])
        mig = pool.sharing.mig.strategy if pool.strategy == "mig" and pool.sharing.mig else "none"
        assert config["flags"]["migStrategy"] == mig
        assert ("sharing" in config) == (pool.replicas > 1)
        if "sharing" in config:
            ((block, content),) = config["sharing"].items()
            assert block == ("mps" if pool.strategy == "mps" else "timeSlicing")
            assert {one["replicas"] for one in content["resources"]} == {pool.replicas}
            suffix = ".shared" if content["renameByDefault"] else ""
            assert {one["name"] + suffix for one in content["resources"]} == set(pool.resources)


@given(plans)
def test_mps_takes_no_more_clients_than_its_daemon_and_never_meets_mig(plan: Plan):
    for pool in plan.pools:
        config = yaml.safe_load(plan.plugin_configs[pool.config_key])
        if "mps" in config.get("sharing", {}):
            assert config["flags"]["migStrategy"] == "none"
            old = any(shape.instance.gpu.compute_capability < (7, 5) for shape in pool.shapes)
            assert pool.replicas <= (16 if old else 48)
            assert {shape.slices[0].profile for shape in pool.shapes} == {None}


@given(plans)
def test_every_mig_pool_names_a_layout_of_its_gpus_own_profiles_that_the_cluster_has(plan: Plan):
    text = mig_layouts(plan.settings, plan.pools)
    known = yaml.safe_load(text)["mig-configs"] if text else {}
    named = {pool.labels["nvidia.com/mig.config"]: pool for pool in plan.pools if pool.strategy == "mig"}
    assert set(known) - {"all-disabled"} == set(named)
    assert not any("nvidia.com/mig.config" in pool.labels for pool in plan.pools if pool.strategy != "mig")
    for name, pool in named.items():
        for shape in pool.shapes:
            gpus = [i for part in known[name] for i in devices(part, shape.instance.gpu_count)]
            assert gpus == list(range(shape.instance.gpu_count)), "each GPU is partitioned once"
            profiles = shape.instance.gpu.mig_profiles[shape.instance.gpu_memory_mib]
            assert all(count <= profiles[one] for part in known[name] for one, count in part["mig-devices"].items())


def devices(part: dict, gpus: int) -> list[int]:
    return list(range(gpus)) if part["devices"] == "all" else part["devices"]


@given(plans)
def test_every_config_is_pointed_at_and_every_pointer_ends_at_a_config(plan: Plan):
    pointed_at = {pool.labels["nvidia.com/device-plugin.config"] for pool in plan.pools}
    assert set(plan.plugin_configs) == pointed_at | {EXCLUSIVE_CONFIG}


@given(plans)
def test_the_plugins_own_rule_of_two_replicas_or_no_block_is_kept(plan: Plan):
    for text in plan.plugin_configs.values():
        for block in yaml.safe_load(text).get("sharing", {}).values():
            for resource in block["resources"]:
                assert isinstance(resource["replicas"], int)
                assert resource["replicas"] >= 2


@given(raw_settings, st.integers(2, 16), st.integers(2, 16))
def test_the_number_itself_is_on_no_label_so_an_edit_of_it_touches_no_node(raw: dict, one: int, two: int):
    def labels(replicas: int) -> dict:
        groups = {name: {**group, "replicas": replicas} for name, group in raw["gpuNodeGroups"].items()}
        return {pool.name: pool.labels for pool in plan_of({**raw, "gpuNodeGroups": groups}).pools}

    assert labels(one) == labels(two)


@given(plans)
def test_all_slices_of_a_node_cost_what_the_node_costs(plan: Plan):
    for pool in plan.pools:
        for shape in pool.shapes:
            price, slices = load().instances[shape.instance.name].usd_per_hour, sum(shape.advertised.values())
            paid = [(one.usd_per_hour, one.count) for one in shape.slices]
            assert all((usd is None) == (price is None) for usd, _ in paid)
            total = sum(usd * count for usd, count in paid if usd is not None)
            assert price is None or abs(total - price) < 1e-6 * slices


@given(plans)
@settings(max_examples=50)
def test_same_settings_same_plan_and_everything_sorted(plan: Plan):
    assert [pool.name for pool in plan.pools] == sorted(pool.name for pool in plan.pools)
    assert list(plan.warnings) == sorted(plan.warnings)
    assert list(plan.plugin_configs) == sorted(plan.plugin_configs)


@given(raw_settings.filter(lambda raw: raw["gpuNodeGroups"]), st.integers(0, 100))
def test_a_quota_grants_the_tenants_own_resources_and_none_of_the_others(raw: dict, slices: int):
    first = sorted(raw["gpuNodeGroups"])[0]
    most = plan_of({**raw, "tenants": {"team": {"pools": [first]}}}).tenants[0].slices
    slices = min(slices, most)
    plan = plan_of({**raw, "tenants": {"team": {"pools": [first], "slices": slices}}})
    own = next(pool for pool in plan.pools if pool.name == first).resources
    quota = next(o for o in objects(plan, placeholders(plan)) if o["kind"] == "ResourceQuota")["spec"]["hard"]
    assert {quota[f"requests.{resource}"] for resource in own} == {str(slices)}
    every = {resource for pool in plan.pools for resource in pool.resources} | {GPU_RESOURCE}
    for resource in every - set(own):
        assert quota[f"requests.{resource}"] == "0"
