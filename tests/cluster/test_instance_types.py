"""Instance facts become Karpenter's instance types without loss, and wrong facts are refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.cluster import facts as instance_facts
from rehearsal.cluster.errors import ClusterError
from rehearsal.cluster.facts import InstanceFacts, NodeSize, Offering
from rehearsal.cluster.instance_types import karpenter_instance_types
from tests.cluster.platform_objects import FACTS

SIZES = st.builds(
    NodeSize,
    cpu_milli=st.integers(1, 400_000),
    memory_mib=st.integers(1, 4_000_000),
    pods=st.integers(1, 737),
    ephemeral_storage_gib=st.integers(1, 10_000),
)
TYPES = st.builds(
    InstanceFacts,
    architecture=st.sampled_from(["amd64", "arm64"]),
    capacity=SIZES,
    allocatable=SIZES,
    offerings=st.just((Offering(zone="z", capacity_type="spot", usd_per_hour=1.0),)),
)


@given(TYPES)
def test_karpenter_reckons_with_the_allocatable_of_the_facts(facts: InstanceFacts) -> None:
    (found,) = karpenter_instance_types({"a.large": facts})
    # kwok takes 100m and 10Mi off every type.
    assert int(found["resources"]["cpu"].removesuffix("m")) - 100 == facts.allocatable.cpu_milli
    assert int(found["resources"]["memory"].removesuffix("Mi")) - 10 == facts.allocatable.memory_mib
    assert found["resources"]["pods"] == str(facts.allocatable.pods)


@given(st.dictionaries(st.sampled_from(["a.large", "b.large"]), TYPES))
def test_facts_survive_json(facts: dict[str, InstanceFacts]) -> None:
    assert instance_facts.parse(json.loads(json.dumps(instance_facts.dump(facts)))) == facts


def test_gpus_are_physical_and_types_without_offerings_are_left_out() -> None:
    unsold = {**FACTS, "p3.2xlarge": InstanceFacts(architecture="amd64", capacity=_SIZE, allocatable=_SIZE)}
    found = {one["name"]: one for one in karpenter_instance_types(unsold)}
    assert sorted(found) == sorted(FACTS)
    assert found["g6.12xlarge"]["resources"]["nvidia.com/gpu"] == "4"
    assert "nvidia.com/gpu" not in found["t3.large"]["resources"]


_SIZE = NodeSize(cpu_milli=1, memory_mib=1, pods=1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"gpu": {"count": 0}}, r"g\.x\.gpu\.count"),
        ({"colour": "red"}, r"g\.x\.colour"),
        ({"allocatable": {"cpuMilli": 4}}, r"g\.x\.allocatable\.memoryMib"),
        ({"offerings": [{"zone": "a", "capacityType": "cheap", "usdPerHour": 1}]}, r"capacityType"),
    ],
)
def test_wrong_facts_are_refused_with_the_key(change: dict[str, Any], words: str) -> None:
    size = {"cpuMilli": 1, "memoryMib": 1, "pods": 1}
    whole = {"architecture": "amd64", "capacity": size, "allocatable": size, **change}
    with pytest.raises(ClusterError, match=words):
        instance_facts.parse({"g.x": whole})
