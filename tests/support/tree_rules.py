"""Rules that every tree of this program keeps, whatever its settings: each takes what was declared and its plan."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Callable
from functools import cache
from typing import Any

import components
from components.component import Component
from gpu_slices.plan import Plan
from rehearsal.answers import Declared
from rehearsal.recorder import Recording
from tests.support.recordings import AWS_PROVIDER, KUBERNETES_PROVIDER, RELEASE
from tests.support.security_rules import SECURITY_RULES

OWN = "gpu-slices:index:"

Rule = Callable[[Recording, Plan], None]


@cache
def component_classes() -> tuple[type[Component], ...]:
    """Every component class of the program."""
    for module in pkgutil.iter_modules(components.__path__):
        importlib.import_module(f"components.{module.name}")
    found: list[type[Component]] = []
    waiting: list[type[Component]] = [Component]
    while waiting:
        below = waiting.pop().__subclasses__()
        found += below
        waiting += below
    return tuple(found)


def one_component_holds_everything(recorded: Recording, _: Plan) -> None:
    tops = [one for one in recorded.resources if one.parent not in recorded.by_urn]
    assert [(one.type, one.name) for one in tops] == [(f"{OWN}GpuPlatform", "platform")]


def every_resource_sits_in_a_component_and_carries_its_name(recorded: Recording, _: Plan) -> None:
    by_urn = recorded.by_urn
    for one in by_urn.values():
        parent = by_urn.get(one.parent)
        if parent is None:
            continue
        assert not parent.custom, f"{one.name} sits in {parent.name}, which is no component"
        packaged = one.name == parent.name and parent.remote
        assert packaged or one.name.startswith(f"{parent.name}-"), f"{one.name} does not carry {parent.name}"


def type_tokens_are_ours_and_each_belongs_to_one_class(recorded: Recording, _: Plan) -> None:
    names = [cls.__name__ for cls in component_classes()]
    assert len(names) == len(set(names)), "two component classes of one name share a type token"
    declared = {one.type for one in recorded.resources if not one.custom}
    ours = {token for token in declared if token.startswith("gpu-slices:")}
    assert ours <= {f"{OWN}{name}" for name in names}
    assert {token for token in declared - ours if not token.startswith("eks:index:")} == set()


def every_component_registers_its_outputs(recorded: Recording, _: Plan) -> None:
    assert [one.name for one in recorded.resources if not one.custom and not one.closed] == []


def no_resource_uses_a_default_provider(recorded: Recording, _: Plan) -> None:
    by_urn = recorded.by_urn
    for one in by_urn.values():
        package = one.type.split(":")[0]
        if one.custom and package in ("aws", "kubernetes"):
            provider = by_urn.get(one.provider.rpartition("::")[0])
            assert provider is not None, f"{one.type} {one.name} is left to a default provider"
            assert provider.type == f"pulumi:providers:{package}"
            assert provider.name in ("platform-aws", "platform-cluster-kubernetes")


def the_aws_provider_knows_region_and_tags(recorded: Recording, plan: Plan) -> None:
    (provider,) = recorded.of(AWS_PROVIDER)
    assert provider.inputs["region"] == plan.settings.region
    assert _value(provider, "defaultTags") == {"tags": dict(plan.tags)}


def a_changed_kubeconfig_never_replaces_what_is_in_the_cluster(recorded: Recording, plan: Plan) -> None:
    (provider,) = recorded.of(KUBERNETES_PROVIDER, "platform-cluster-kubernetes")
    assert provider.inputs["clusterIdentifier"].endswith(f":cluster/{plan.settings.cluster.name}")


def every_warning_of_the_plan_reaches_the_person_who_deploys(recorded: Recording, plan: Plan) -> None:
    timeless = {warning for warning in recorded.warnings if ".capacityReservation.ends: " not in warning}
    assert timeless == {str(warning) for warning in plan.warnings}


def outputs_are_values_for_people(recorded: Recording, plan: Plan) -> None:
    outputs = recorded.outputs
    assert outputs["clusterName"] == plan.settings.cluster.name
    assert sorted(outputs["pools"]) == [pool.name for pool in plan.pools]
    for pool in outputs["pools"].values():
        assert "gpu-slices/pool:" in pool["podSnippet"]
        assert "tolerations:" in pool["podSnippet"]


def every_release_has_an_exact_version(recorded: Recording, _: Plan) -> None:
    for release in recorded.of(RELEASE):
        assert release.inputs["version"].removeprefix("v").replace(".", "").isdigit(), release.inputs["version"]


RULES: tuple[Rule, ...] = (
    one_component_holds_everything,
    every_resource_sits_in_a_component_and_carries_its_name,
    type_tokens_are_ours_and_each_belongs_to_one_class,
    every_component_registers_its_outputs,
    no_resource_uses_a_default_provider,
    the_aws_provider_knows_region_and_tags,
    a_changed_kubeconfig_never_replaces_what_is_in_the_cluster,
    every_warning_of_the_plan_reaches_the_person_who_deploys,
    outputs_are_values_for_people,
    every_release_has_an_exact_version,
    *SECURITY_RULES,
)


def _value(resource: Declared, name: str) -> Any:
    """An input of a provider, which may arrive as JSON text."""
    value = resource.inputs[name]
    return json.loads(value) if isinstance(value, str) else value
