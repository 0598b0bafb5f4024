"""MIG arithmetic: what fits one GPU, and what an instance is of it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import pytest

from gpu_slices.catalogue import InstanceType, load
from gpu_slices.mig import profile, resource, too_much

#: One instance type for each table of profiles.
BY_TABLE: dict[tuple[str, int], InstanceType] = {
    (one.gpu.name, one.gpu_memory_mib): one for one in load().instances.values() if one.gpu.mig_profiles
}
TYPES = sorted(one.name for one in BY_TABLE.values())


def profiles_of(instance_type: str) -> Mapping[str, int]:
    instance = load().instances[instance_type]
    return instance.gpu.mig_profiles[instance.gpu_memory_mib]


def fits(instance_type: str, chosen: Mapping[str, int]) -> bool:
    return too_much(chosen, profiles_of(instance_type), load().instances[instance_type].gpu_memory_mib) is None


@pytest.mark.parametrize("instance_type", TYPES)
def test_nvidias_table_of_most_instances_follows_from_compute_and_memory_slices(instance_type: str):
    for name, most in profiles_of(instance_type).items():
        assert fits(instance_type, {name: most})
        assert not fits(instance_type, {name: most + 1})
        if "+" not in name:
            # The table alone would refuse one more; so do the sums, which judge mixtures.
            unbounded = {**profiles_of(instance_type), name: 99}
            assert too_much({name: most + 1}, unbounded, load().instances[instance_type].gpu_memory_mib)


#: Where an instance may begin, in memory slices, by its compute and memory slices (NVIDIA's MIG user guide).
STARTS = {(1, 1): range(7), (1, 2): (0, 2, 4, 6), (2, 2): (0, 2, 4), (3, 4): (0, 4), (4, 4): (0,), (7, 8): (0,)}


@pytest.mark.parametrize("instance_type", [name for name in TYPES if max(profiles_of(name).values()) == 7])
def test_whatever_fits_by_sums_has_a_placement(instance_type: str):
    known = {name: most for name, most in profiles_of(instance_type).items() if "+" not in name}
    checked = 0
    for counts in product(*(range(most + 1) for most in known.values())):
        chosen = dict(zip(known, counts, strict=True))
        if any(counts) and fits(instance_type, chosen):
            mib = load().instances[instance_type].gpu_memory_mib
            shapes = [(profile(n).compute, profile(n).memory_slices(mib)) for n, c in chosen.items() for _ in range(c)]
            assert placed(sorted(shapes, key=lambda one: -one[1]), frozenset()), chosen
            checked += 1
    assert checked > 50


def placed(shapes: list[tuple[int, int]], taken: frozenset[int]) -> bool:
    if not shapes:
        return True
    size = shapes[0][1]
    places = (frozenset(range(start, start + size)) for start in STARTS[shapes[0]])
    return any(not place & taken and placed(shapes[1:], taken | place) for place in places)


@pytest.mark.parametrize(
    ("instance_type", "name", "mib"),
    [
        ("p4d.24xlarge", "1g.5gb", 5120),
        ("p4d.24xlarge", "1g.10gb", 10240),
        ("p4d.24xlarge", "3g.20gb", 20480),
        ("p5e.48xlarge", "1g.18gb", 18048),
        ("p6-b200.48xlarge", "2g.45gb", 45839),
        ("p6-b300.48xlarge", "7g.269gb", 275040),
        ("g7e.2xlarge", "1g.24gb", 24576),
    ],
)
def test_an_instance_is_eighths_of_the_gpus_memory_whatever_its_name_rounds_to(instance_type: str, name: str, mib: int):
    assert profile(name).memory_mib(load().instances[instance_type].gpu_memory_mib) == mib


def test_resources_are_called_as_the_plugin_calls_them():
    assert resource("4g.20gb") == "nvidia.com/mig-4g.20gb"
    assert resource("1g.5gb+me") == "nvidia.com/mig-1g.5gb.me"
    with pytest.raises(ValueError, match="not a MIG profile"):
        profile("nvidia.com/4g.20gb")
