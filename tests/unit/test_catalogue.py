"""The catalogue's data hold together."""

from __future__ import annotations

import pytest

from gpu_slices.catalogue import InstanceType, load

INSTANCES = sorted(load().instances.values(), key=lambda instance: instance.name)


@pytest.mark.parametrize("instance", INSTANCES, ids=lambda instance: instance.name)
def test_each_instance_type_is_physically_possible(instance: InstanceType):
    assert instance.name == f"{instance.family}.{instance.size}"
    assert 0 < instance.allocatable_millicpu < instance.vcpu * 1000
    assert 0 < instance.allocatable_mib < instance.memory_mib
    assert instance.gpu_memory_mib > 0
    assert instance.pods > 10
    assert instance.usd_per_hour is None or instance.usd_per_hour > 0


def test_every_retired_family_names_successors_that_are_still_sold():
    known = load()
    sold = {instance.family for instance in INSTANCES if not instance.retired}
    retired = {instance.family for instance in INSTANCES if instance.retired}
    assert set(known.successors) == retired == {"p3"}
    assert {family for families in known.successors.values() for family in families} <= sold


def test_mig_profiles_are_there_for_every_gpu_memory_that_is_sold():
    for instance in INSTANCES:
        if instance.gpu.mig_profiles:
            assert instance.gpu_memory_mib in instance.gpu.mig_profiles, instance.name


def test_a_mig_profile_never_holds_more_compute_than_the_gpu_has():
    for gpu in load().gpus.values():
        for profiles in gpu.mig_profiles.values():
            whole = max(int(profile.partition("g")[0]) for profile in profiles)
            for profile, count in profiles.items():
                assert int(profile.partition("g")[0]) * count <= whole, (gpu.name, profile)


def test_fractional_types_are_those_that_ec2_counts_as_none():
    assert {instance.family for instance in INSTANCES if instance.fractional} == {"g6f", "gr6f"}


def test_facts_that_the_seed_guides_had_wrong():
    known = load().instances
    assert known["p3.8xlarge"].gpu_count == 4
    assert known["g6e.2xlarge"].usd_per_hour == pytest.approx(2.24208)
    assert known["g6e.2xlarge"].gpu.label == "L40S"


def test_the_names_nearest_to_a_typo_are_offered():
    assert "g6e.2xlarge" in load().nearest("g6e.2xlarg")
    assert load().nearest("zzz") == ()
