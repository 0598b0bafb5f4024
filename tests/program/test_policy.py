"""The policy pack's rules on what the shipped stacks declare: all pass, and each rule sees what it is there for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from gpu_slices.naming import REGULATED_LABEL, REGULATED_TAG
from policy.rules import RULES
from policy.rules.environments import DEFAULT
from policy.rules.exposure import CLUSTER
from policy.rules.nodes import NODE_GROUP, NODE_POOL
from policy.rules.pins import LAUNCH_TEMPLATE, NODE_CLASS, RELEASE
from policy.rules.plugin_configs import CONFIG_MAP
from policy.rules.rule import Resource, ResourceRule, Scope, defaults
from policy.rules.tenants import NAMESPACE, QUOTA
from tests.support.broken_resources import (
    CASES,
    QUEUE,
    TEMPLATE_LABELS,
    configs,
    control_plane,
    edited,
    group,
    one,
    plugin,
    pool,
    resources,
)
from tests.support.stacks import STACKS, plan_of_stack

BY_NAME = {rule.name: rule for rule in RULES}


def said(rule: str, *resources: Resource, environment: str = DEFAULT, **config: Any) -> list[str]:
    """What a rule says of resources."""
    found = BY_NAME[rule]
    scope = Scope(environment=environment, config={**defaults(found), **config})
    if isinstance(found, ResourceRule):
        return [words for resource in resources for words in found.check(resource, scope)]
    return [violation.words for violation in found.check(resources, scope)]


@pytest.mark.parametrize("rule", sorted(BY_NAME))
@pytest.mark.parametrize("stack", STACKS)
def test_what_ships_breaks_no_rule(stack: str, rule: str):
    assert said(rule, *resources(stack)) == []


@pytest.mark.parametrize(("rule", "words", "broken"), CASES, ids=[f"{rule}: {words}" for rule, words, _ in CASES])
def test_a_rule_says_what_is_wrong_with_a_resource(rule: str, words: str, broken: Callable[[], Resource]):
    (found,) = said(rule, broken())
    assert words in found


def test_every_rule_is_shown_broken():
    shown_below = {"regulated-pools-unshared", "tenant-quotas", "api-endpoint-closed"}
    assert {rule for rule, _, _ in CASES} | shown_below == set(BY_NAME)


@pytest.mark.parametrize(
    "marked",
    [
        lambda: edited(group(), "labels", REGULATED_LABEL, to="true"),
        lambda: edited(group(), "tags", to={REGULATED_TAG: "true"}),
    ],
    ids=["label", "tag"],
)
def test_a_regulated_pool_is_not_shared(marked: Callable[[], Resource]):
    (words,) = said("regulated-pools-unshared", configs(), marked())
    assert words.startswith("pool l40s is regulated, but its GPUs are shared by time-slicing among 10")
    whole = edited(configs(), "data", "l40s", to=configs().inputs["data"]["exclusive"])
    assert said("regulated-pools-unshared", whole, marked()) == []
    assert said("regulated-pools-unshared", configs(), group()) == []


def test_a_regulated_pool_that_karpenter_launches_is_not_shared_either():
    marked = edited(pool(), *TEMPLATE_LABELS, REGULATED_LABEL, to="true")
    (words,) = said("regulated-pools-unshared", marked, plugin())
    assert "pool burst is regulated" in words
    assert "one slice can take the memory of all; set replicas to 1, or use MIG" in words


@pytest.mark.parametrize("stack", [stack for stack in STACKS if plan_of_stack(stack).tenants])
def test_a_tenant_without_a_quota_in_gpus_is_named(stack: str):
    there = resources(stack)
    quotas = [resource for resource in there if resource.type == QUOTA]
    namespaces = {quota.inputs["metadata"]["namespace"] for quota in quotas}
    without = [resource for resource in there if resource.type != QUOTA]
    words = said("tenant-quotas", *without)
    assert len(words) == len(namespaces)
    assert all(f"tenant namespace {name} has no quota in GPUs" in "\n".join(words) for name in namespaces)
    only_memory = [edited(quota, "spec", "hard", to={"requests.memory": "1Gi"}) for quota in quotas]
    assert said("tenant-quotas", *without, *only_memory) == words


@pytest.mark.parametrize(
    ("vpc", "words"),
    [
        ({"endpointPublicAccess": True, "publicAccessCidrs": ["0.0.0.0/0"]}, "answers everybody (0.0.0.0/0)"),
        ({"endpointPublicAccess": True, "publicAccessCidrs": ["192.0.2.0/24", "::/0"]}, "answers everybody (::/0)"),
        ({}, "answers everybody (0.0.0.0/0)"),
        ({"endpointPublicAccess": True, "publicAccessCidrs": ["192.0.2.0/24"]}, ""),
        ({"endpointPublicAccess": False, "endpointPrivateAccess": True}, ""),
    ],
)
def test_in_production_the_api_answers_only_named_networks(vpc: Mapping[str, Any], words: str):
    cluster = edited(control_plane(), "vpcConfig", to=vpc)
    assert said("api-endpoint-closed", cluster) == []
    found = said("api-endpoint-closed", cluster, environment="production")
    assert [words in one for one in found] == ([True] if words else [])


def test_an_environment_may_allow_fewer_slices_than_others():
    assert said("maximum-replicas", configs()) == []
    (words,) = said("maximum-replicas", configs(), environment="production")
    assert "pool l40s has 10 slices per GPU, environment production allows 8" in words
    assert said("maximum-replicas", configs(), environment="production", maxReplicas={"production": 10}) == []
    assert said("maximum-replicas", configs(), environment="lab", maxReplicas={"production": 4}) == []


def test_what_is_encrypted_anyway_may_have_to_have_a_key_of_ones_own():
    queue = one("karpenter", QUEUE)
    assert said("encrypted-at-rest", queue) == []
    (words,) = said("encrypted-at-rest", queue, ownKeyFor=["queues"])
    assert "is a queue without a key of yours: set kmsMasterKeyId" in words
    (logs,) = [r for r in resources("dev") if r.type == "aws:cloudwatch/logGroup:LogGroup"]
    assert said("encrypted-at-rest", logs, ownKeyFor=["logs"]) == []
    (words,) = said("encrypted-at-rest", edited(logs, "kmsKeyId", to=None), ownKeyFor=["logs"])
    assert "is a log group without a key of yours" in words


def test_node_groups_may_have_to_name_their_image_release():
    assert said("images-pinned", group()) == []
    (words,) = said("images-pinned", group(), nodeGroupReleases=True)
    assert "leaves its image release to EKS" in words
    named = edited(group(), "releaseVersion", to="1.35.0-20260714")
    assert said("images-pinned", named, nodeGroupReleases=True) == []


def test_a_taint_of_ones_own_counts_where_it_is_configured():
    own = edited(group(), "taints", to=[{"key": "gpu", "effect": "NO_EXECUTE"}])
    assert said("gpu-nodes-tainted", own, taintKeys=["gpu"]) == []
    (words,) = said("gpu-nodes-tainted", group(), taintKeys=["gpu"])
    assert "add gpu=true:NoSchedule" in words


def one_key_less(value: Any) -> Iterator[Any]:
    """The same value, once without each key that is anywhere in it."""
    if isinstance(value, Mapping):
        for key in value:
            yield {name: inner for name, inner in value.items() if name != key}
            yield from ({**value, key: less} for less in one_key_less(value[key]))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from ([*value[:index], less, *value[index + 1 :]] for less in one_key_less(inner))


@pytest.mark.parametrize("stack", STACKS)
def test_resources_of_other_programs_may_say_less_and_no_rule_breaks_down(stack: str):
    read = {NODE_GROUP, NODE_POOL, CONFIG_MAP, RELEASE, NODE_CLASS, LAUNCH_TEMPLATE, CLUSTER, QUEUE, NAMESPACE, QUOTA}
    there = resources(stack)
    for resource in (resource for resource in there if resource.type in read):
        for inputs in one_key_less(dict(resource.inputs)):
            for rule in BY_NAME:
                said(rule, replace(resource, inputs=inputs), environment="production")
