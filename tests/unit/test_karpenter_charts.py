"""Values of Karpenter's two charts: every path exists, and what the rest relies on is said."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gpu_slices.charts import Release
from gpu_slices.charts.karpenter import releases
from gpu_slices.node_groups import SYSTEM_LABEL
from gpu_slices.settings.karpenter import Karpenter
from gpu_slices.versions import DEVICE_PLUGIN, KARPENTER, KARPENTER_CRD
from tests.support.stacks import ROOT
from tests.unit.test_charts import known, leaves

PATHS = ROOT / "tests" / "data" / "value_paths"

settings = st.fixed_dictionaries(
    {},
    optional={
        "replicas": st.integers(1, 5),
        "cpu": st.sampled_from(["250m", "1"]),
        "memory": st.sampled_from(["512Mi", "2Gi"]),
        "logLevel": st.sampled_from(["debug", "info", "error"]),
    },
)


def both(raw: dict[str, Any] | None = None) -> tuple[Release, Release]:
    karpenter = Karpenter.model_validate(raw or {})
    return releases(cluster_name="demo", queue_name="queue", region="us-west-2", settings=karpenter)


@given(settings)
def test_every_value_that_is_set_exists_in_the_chart(raw: dict[str, Any]):
    """Helm takes a misspelt key in silence, so the pinned charts' own paths are the judge."""
    for one in both(raw):
        lines = set((PATHS / f"{one.pin.chart}-{one.pin.version}.txt").read_text().splitlines())
        assert [path for path in leaves(one.values) if not known(path, lines)] == []


@given(settings)
def test_every_setting_reaches_the_controller(raw: dict[str, Any]):
    _, controller = both(raw)
    values, resources = controller.values, controller.values["controller"]["resources"]
    karpenter = Karpenter.model_validate(raw)
    assert values["replicas"] == karpenter.replicas
    assert values["logLevel"] == karpenter.log_level
    assert resources["requests"] == {"cpu": karpenter.cpu, "memory": karpenter.memory}
    assert resources["limits"] == {"memory": karpenter.memory}, "no CPU limit: throttled, it would launch late"


def test_only_the_overlay_gate_is_opened():
    _, controller = both()
    assert controller.values["settings"]["featureGates"] == {"nodeOverlay": True}


def test_the_controller_runs_on_nodes_that_it_does_not_manage_itself():
    _, controller = both()
    assert controller.values["nodeSelector"] == {SYSTEM_LABEL: "system"}
    assert "affinity" not in controller.values, "the chart's own keeps it off its nodes and one pod to a node"


def test_another_version_is_one_for_both_charts():
    assert [one.pin.version for one in both({"version": "1.13.0"})] == ["1.13.0", "1.13.0"]
    assert [one.pin for one in both()] == [KARPENTER_CRD, KARPENTER]


def test_helm_finds_a_chart_of_an_oci_registry_by_its_address_and_of_a_repository_by_its_name():
    assert (KARPENTER.reference, KARPENTER.repository) == ("oci://public.ecr.aws/karpenter/karpenter", None)
    assert (DEVICE_PLUGIN.reference, DEVICE_PLUGIN.repository) == ("nvidia-device-plugin", DEVICE_PLUGIN.repo)
