"""What a person reads whose `monitoring` or `budget` cannot be, and what they are warned of."""

from __future__ import annotations

from typing import Any

import pytest

from gpu_slices.settings import SettingsError, parse
from tests.support.stacks import plan_of

BUDGET: dict[str, Any] = {"monthlyUsd": 5000, "emails": ["team@example.com"]}
QUIET: dict[str, Any] = {
    "network": {"nat": "per-zone"},
    "cluster": {"endpoint": {"publicCidrs": ["198.51.100.0/24"]}},
    "gpuNodeGroups": {"a": {"instanceType": "g6e.2xlarge", "replicas": 4}},
}
WELL: dict[str, Any] = {"enabled": True, "alertSecret": "routes", "storage": {"storageClass": "gp3"}}


def budget(**keys: Any) -> dict[str, Any]:
    return {"budget": {**BUDGET, **keys}}


def monitoring(**keys: Any) -> dict[str, Any]:
    return {"monitoring": {"enabled": True, **keys}}


@pytest.mark.parametrize(
    ("raw", "key", "words"),
    [
        (budget(monthlyUsd=-5), "budget.monthlyUsd", "a budget of -5 USD cannot be"),
        (budget(monthlyUsd=0), "budget.monthlyUsd", "write whole USD a month, from 1"),
        (budget(monthlyUsd=99.5), "budget.monthlyUsd", "99.5 is not a whole number"),
        ({"budget": {"emails": ["a@example.com"]}}, "budget.monthlyUsd", "is missing"),
        ({"budget": {"monthlyUsd": 5}}, "budget.emails", "nobody would be told"),
        (budget(emails=["team@example"]), "budget.emails[0]", "'team@example' is not an email address"),
        (budget(emails=["team example.com"]), "budget.emails[0]", "write one like team@example.com"),
        (budget(emails=[f"p{n}@example.com" for n in range(11)]), "budget.emails", "AWS tells 10 addresses, not 11"),
        (budget(snsTopicArn="alerts"), "budget.snsTopicArn", "'alerts' is not an SNS topic"),
        (budget(actualPercent=[0]), "budget.actualPercent[0]", "0 % of the budget is no alert"),
        (budget(forecastPercent=[-10]), "budget.forecastPercent[0]", "-10 % of the budget"),
        (budget(actualPercent=[], forecastPercent=[]), "budget", "a budget without an alert"),
        (budget(actualPercent=list(range(10, 110, 10))), "budget", "11 alerts; AWS takes 10"),
        (budget(activateTags="yes"), "budget.activateTags", "true or false"),
        (budget(montlyUsd=5), "budget.montlyUsd", 'did you mean "monthlyUsd"?'),
        (monitoring(enabled="yes"), "monitoring.enabled", "true or false"),
        (monitoring(retentionDays=0), "monitoring.retentionDays", "1"),
        (monitoring(retentionDays=1000), "monitoring.retentionDays", "365"),
        (monitoring(idleMinutes=1), "monitoring.idleMinutes", "5"),
        (monitoring(memory="lots"), "monitoring.memory", "512Mi or 2Gi"),
        (monitoring(storage={"sizeGiB": 50}), "monitoring.storage.storageClass", "add aws-ebs-csi-driver to cluster."),
        (monitoring(storage={"storageClass": "gp3", "sizeGiB": 1}), "monitoring.storage.sizeGiB", "5"),
        (monitoring(alertSecret="Routes!"), "monitoring.alertSecret", "is not a Kubernetes name"),
        (monitoring(docsUrl="example.com"), "monitoring.docsUrl", "is not an address"),
        ({"tenants": {"monitoring": {"slices": 1}}}, "tenants.monitoring", "monitoring"),
    ],
)
def test_each_mistake_has_its_own_sentence(raw: dict[str, Any], key: str, words: str):
    with pytest.raises(SettingsError) as refused:
        parse({"aws:region": "us-west-2", **raw}, stack="test")
    (found,) = [str(one) for one in refused.value.mistakes]
    assert found.startswith(f"{key}: "), found
    assert words in found


def warned(raw: dict[str, Any]) -> list[str]:
    return [str(one) for one in plan_of({**QUIET, **raw}).warnings]


@pytest.mark.parametrize(
    ("raw", "path", "words"),
    [
        ({"monitoring": {"retentionDays": 3}}, "monitoring", "has no effect: enabled is not true"),
        (budget(), "budget", "no idle GPU"),
        (budget(monthlyUsd=1000), "budget.monthlyUsd", "what runs all month costs $1,"),
        ({"monitoring": {**WELL, "alertSecret": None}}, "monitoring.alertSecret", "nobody is told"),
        ({"monitoring": {**WELL, "storage": None}}, "monitoring.storage", "samples are lost"),
    ],
)
def test_what_is_allowed_but_should_be_known_is_said(raw: dict[str, Any], path: str, words: str):
    assert [one for one in warned(raw) if one.startswith(f"{path}: ") and words in one]


def test_the_volumes_class_comes_with_its_driver():
    cluster = {**QUIET["cluster"], "optionalAddons": ["aws-ebs-csi-driver"]}
    assert warned({"monitoring": {**WELL, "storage": {}}, "cluster": cluster}) == []


def test_a_well_made_one_is_quiet():
    assert warned({"monitoring": WELL, "budget": BUDGET}) == []


@pytest.mark.parametrize(
    ("nodes", "more", "words"),
    [
        ({"instanceType": "t3.small", "min": 1, "desired": 1}, {"monitoring": {**WELL, "memory": "512Mi"}}, "GiB of"),
        ({"instanceType": "t3.large"}, {"karpenter": {"cpu": "1600m"}}, "CPU of"),
        ({"instanceType": "m5.large"}, {"monitoring": {**WELL, "memory": "8Gi"}}, "more than one node's"),
    ],
)
def test_system_nodes_that_do_not_hold_what_is_switched_on_are_told_of(nodes, more, words):
    (found,) = [one for one in warned({"systemNodes": nodes, **more}) if one.startswith("systemNodes: ")]
    assert nodes["instanceType"] in found
    assert words in found
    assert "raise desired or take a larger instanceType" in found


def test_a_type_that_the_table_does_not_know_is_not_guessed_at():
    assert warned({"systemNodes": {"instanceType": "x8i.large", "desired": 2}, "monitoring": WELL}) == []
