"""NVIDIA's own parser on configs that people write; each row was also measured on v0.20.0 of the plugin."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.cluster.doubles import advertise
from rehearsal.cluster.doubles.plugin_config import PluginConfig, PluginError, Replicated, choose, parse
from rehearsal.cluster.facts import GpuFacts
from rehearsal.cluster.programs import BIN, BUILD_COMMAND

L4 = GpuFacts(count=4, product="NVIDIA-L4", memory_mib=22888, compute_capability="8.9")
V100 = GpuFacts(count=4, product="Tesla-V100-SXM2-16GB", memory_mib=16384, compute_capability="7.0")


def _sharing(entry: str, *, block: str = "timeSlicing", further: str = "") -> str:
    return f"version: v1\nsharing:\n  {block}:\n{further}    resources:\n    - {entry}\n"


def _gpus(text: str) -> dict[str, int]:
    program = BIN / "plugin-config"
    if not program.is_file():
        pytest.skip(f"needs plugin-config: run `{BUILD_COMMAND}`")
    return advertise.resources(parse(program, text), L4)


@pytest.mark.cluster
@pytest.mark.parametrize(
    ("text", "resources"),
    [
        ("", {"nvidia.com/gpu": 4}),
        ("version: v1\n", {"nvidia.com/gpu": 4}),
        ("version: v1\nsharing: {}\n", {"nvidia.com/gpu": 4}),
        (_sharing("{name: nvidia.com/gpu, replicas: 10}"), {"nvidia.com/gpu": 40}),
        (_sharing("{name: gpu, replicas: 10}"), {"nvidia.com/gpu": 40}),
        (_sharing("{name: nvidia.com/gpu, replicas: 4.0}"), {"nvidia.com/gpu": 16}),
        (_sharing("{name: nvidia.com/gpu, replicas: 100000}"), {"nvidia.com/gpu": 400000}),
        (_sharing("{name: nvidia.com/gpu, replicas: 10}", block="timeslicing"), {"nvidia.com/gpu": 40}),
        (_sharing("{name: nvidia.com/gpu, replicas: 10}", block="time_slicing"), {"nvidia.com/gpu": 4}),
        (_sharing("{name: nvidia.com/gpu, replicas: 10, devices: [0, 1]}"), {"nvidia.com/gpu": 40}),
        (_sharing("{name: nvidia.com/gpu, replicas: 10, rename: nvidia.com/x}"), {"nvidia.com/gpu": 40}),
        (_sharing("{name: nvidia.com/4g.20gb, replicas: 2}"), {"nvidia.com/gpu": 4}),
        (
            _sharing("{name: nvidia.com/gpu, replicas: 10}", further="    renameByDefault: true\n"),
            {"nvidia.com/gpu.shared": 40},
        ),
        ("flags: {renameByDefault: true}\n" + _sharing("{name: gpu, replicas: 2}")[12:], {"nvidia.com/gpu": 8}),
        ('{"allocations": [{"name": "nvidia.com/4g.20gb", "count": 2}]}', {"nvidia.com/gpu": 4}),
        (_sharing("{name: nvidia.com/gpu, replicas: 8}", block="mps"), {"nvidia.com/gpu": 32}),
    ],
)
def test_it_is_accepted_and_shows(text: str, resources: dict[str, int]) -> None:
    assert _gpus(text) == resources


@pytest.mark.cluster
@pytest.mark.parametrize(
    ("text", "words"),
    [
        (_sharing("{name: nvidia.com/gpu, replicas: 1}"), "number of replicas must be >= 2"),
        (_sharing("{name: nvidia.com/gpu, replicas: 0}"), "number of replicas must be >= 2"),
        (_sharing('{name: nvidia.com/gpu, replicas: "4"}'), "cannot unmarshal string"),
        (_sharing("{name: nvidia.com/gpu, replicas: 4.5}"), "cannot unmarshal number"),
        (_sharing("{name: nvidia.com/gpu}"), "no replicas specified"),
        (_sharing("{replicas: 2}"), "no resource name specified"),
        (_sharing("{name: NVIDIA.com/GPU, replicas: 2}"), "RFC 1123|invalid|incorrect"),
        ("version: v1\nsharing: {timeSlicing: {}}\n", "no resources specified"),
        ("version: v1\nsharing: {timeSlicing: {resources: []}}\n", "no resources specified"),
        ("version: v1\nsharing:\n  timeSlicing:\n", "no resources specified"),
        ("version: v2\n", "unknown version: v2"),
        ("version: 1\n", "unknown version: 1"),
        (_sharing("{name: nvidia.com/gpu, replicas: 49}", block="mps"), "49 > 48"),
        (
            "flags: {migStrategy: mixed}\n" + _sharing("{name: gpu, replicas: 2}", block="mps")[12:],
            "mig-strategy=mixed",
        ),
    ],
)
def test_it_is_refused_in_the_plugins_words(text: str, words: str) -> None:
    with pytest.raises(PluginError, match=words):
        _gpus(text)


def test_mps_takes_fewer_clients_before_compute_capability_7_5() -> None:
    config = PluginConfig(
        strategy="mps", mig_strategy="none", resources=(Replicated(name="nvidia.com/gpu", rename="", replicas=17),)
    )
    assert advertise.resources(config, L4) == {"nvidia.com/gpu": 68}
    with pytest.raises(PluginError, match="17 > 16"):
        advertise.resources(config, V100)


@given(keys=st.frozensets(st.sampled_from(["a", "b", "default", "exclusive"])), label=st.sampled_from(["", "a", "z"]))
def test_a_node_gets_the_labelled_config_or_the_default_or_an_error(keys: frozenset[str], label: str) -> None:
    wanted = label or "exclusive"
    if wanted in keys:
        assert choose(keys, label=label, default="exclusive") == wanted
    else:
        with pytest.raises(PluginError, match=r"does not exist|no configuration files"):
            choose(keys, label=label, default="exclusive")


def test_without_a_default_the_config_named_default_or_the_only_one_is_taken() -> None:
    assert choose(frozenset({"default", "b"}), label="", default="") == "default"
    assert choose(frozenset({"b"}), label="", default="") == "b"
    with pytest.raises(PluginError, match="all fallbacks failed"):
        choose(frozenset({"a", "b"}), label="", default="")
