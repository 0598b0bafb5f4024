"""Rules over every resource of every stack file that ships."""

from __future__ import annotations

import importlib
import json
import pkgutil

import pytest

import components
from components.component import Component
from rehearsal.answers import Declared
from tests.support.recordings import AWS_PROVIDER, KUBERNETES_PROVIDER, recording
from tests.support.stacks import STACKS, plan_of_stack

OWN = "gpu-slices:index:"
pytestmark = pytest.mark.parametrize("stack", STACKS)


def component_classes() -> list[type[Component]]:
    """Every component class of the program."""
    for module in pkgutil.iter_modules(components.__path__):
        importlib.import_module(f"components.{module.name}")
    found, waiting = [], [Component]
    while waiting:
        below = waiting.pop().__subclasses__()
        found += below
        waiting += below
    return found


def test_one_component_holds_everything(stack):
    tops = [one for one in recording(stack).resources if one.parent not in recording(stack).by_urn]
    assert [(one.type, one.name) for one in tops] == [(f"{OWN}GpuPlatform", "platform")]


def test_every_resource_sits_in_a_component_and_carries_its_name(stack):
    by_urn = recording(stack).by_urn
    for one in by_urn.values():
        parent = by_urn.get(one.parent)
        if parent is None:
            continue
        assert not parent.custom, f"{one.name} sits in {parent.name}, which is no component"
        packaged = one.name == parent.name and parent.remote
        assert packaged or one.name.startswith(f"{parent.name}-"), f"{one.name} does not carry {parent.name}"


def test_type_tokens_are_ours_and_each_belongs_to_one_class(stack):
    classes = component_classes()
    names = [cls.__name__ for cls in classes]
    assert len(names) == len(set(names)), "two component classes of one name share a type token"
    declared = {one.type for one in recording(stack).resources if not one.custom}
    ours = {token for token in declared if token.startswith("gpu-slices:")}
    assert ours <= {f"{OWN}{name}" for name in names}
    assert {token for token in declared - ours if not token.startswith("eks:index:")} == set()


def test_every_component_registers_its_outputs(stack):
    unfinished = [one.name for one in recording(stack).resources if not one.custom and not one.closed]
    assert unfinished == []


def test_no_resource_uses_a_default_provider(stack):
    by_urn = recording(stack).by_urn
    for one in by_urn.values():
        package = one.type.split(":")[0]
        if one.custom and package in ("aws", "kubernetes"):
            provider = by_urn.get(one.provider.rpartition("::")[0])
            assert provider is not None, f"{one.type} {one.name} is left to a default provider"
            assert provider.type == f"pulumi:providers:{package}"
            assert provider.name in ("platform-aws", "platform-cluster-kubernetes")


def test_the_aws_provider_knows_region_and_tags(stack):
    plan = plan_of_stack(stack)
    (provider,) = recording(stack).of(AWS_PROVIDER)
    assert provider.inputs["region"] == plan.settings.region
    assert _value(provider, "defaultTags") == {"tags": dict(plan.tags)}


def test_a_changed_kubeconfig_never_replaces_what_is_in_the_cluster(stack):
    recorded = recording(stack)
    (cluster,) = recorded.of("aws:eks/cluster:Cluster")
    (provider,) = recorded.of(KUBERNETES_PROVIDER, "platform-cluster-kubernetes")
    assert provider.inputs["clusterIdentifier"].endswith(f":cluster/{cluster.inputs['name']}")


def test_every_warning_of_the_plan_reaches_the_person_who_deploys(stack):
    assert set(recording(stack).warnings) == {str(warning) for warning in plan_of_stack(stack).warnings}


def test_outputs_are_values_for_people(stack):
    plan = plan_of_stack(stack)
    outputs = recording(stack).outputs
    assert outputs["clusterName"] == plan.settings.cluster.name
    assert sorted(outputs["pools"]) == [pool.name for pool in plan.pools]
    for pool in outputs["pools"].values():
        assert "gpu-slices/pool:" in pool["podSnippet"]
        assert "tolerations:" in pool["podSnippet"]


def _value(resource: Declared, name: str):
    """An input of a provider, which may arrive as JSON text."""
    value = resource.inputs[name]
    return json.loads(value) if isinstance(value, str) else value
