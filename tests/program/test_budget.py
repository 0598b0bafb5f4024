"""The budget: what it counts, whom it tells, and the tag by which everything that costs money is found."""

from __future__ import annotations

from typing import Any

import pytest

from gpu_slices.naming import STACK_TAG
from rehearsal.project import project_program
from rehearsal.recorder import Recording, record
from tests.support.recordings import recording
from tests.support.stacks import STACKS, plan_of_stack

BUDGET, TAG = "aws:budgets/budget:Budget", "aws:costexplorer/costAllocationTag:CostAllocationTag"
TOPIC = "arn:aws:sns:us-west-2:123456789012:alerts"
NODE_CLASS, TEMPLATE = "kubernetes:karpenter.k8s.aws/v1:EC2NodeClass", "aws:ec2/launchTemplate:LaunchTemplate"


def deployed(**budget: Any) -> Recording:
    config = {
        "aws:region": "us-west-2",
        "gpu-slices:gpuNodeGroups": {"a": {"instanceType": "g6.xlarge"}},
        "gpu-slices:budget": {"monthlyUsd": 900, **budget},
    }
    return record(project_program(), stack="test", config=config)


def test_it_counts_what_carries_the_stacks_tag_and_tells_before_and_after():
    (budget,) = deployed(emails=["b@example.com", "a@example.com"], actualPercent=[80], forecastPercent=[110]).of(
        BUDGET
    )
    assert (budget.inputs["limitAmount"], budget.inputs["limitUnit"]) == ("900", "USD")
    assert budget.inputs["timeUnit"] == "MONTHLY"
    assert budget.inputs["costFilters"] == [{"name": "TagKeyValue", "values": ["user:gpu-slices:stack$test"]}]
    told = [(one["notificationType"], one["threshold"]) for one in budget.inputs["notifications"]]
    assert told == [("ACTUAL", 80), ("FORECASTED", 110)]
    for one in budget.inputs["notifications"]:
        assert one["subscriberEmailAddresses"] == ["a@example.com", "b@example.com"]
        assert one["thresholdType"] == "PERCENTAGE"


def test_a_topic_alone_is_enough():
    (budget,) = deployed(snsTopicArn=TOPIC).of(BUDGET)
    assert all(one["subscriberSnsTopicArns"] == [TOPIC] for one in budget.inputs["notifications"])
    assert not any(one["subscriberEmailAddresses"] for one in budget.inputs["notifications"])


def test_the_accounts_cost_tags_are_touched_only_on_request():
    assert not deployed(snsTopicArn=TOPIC).of(TAG)
    (tag,) = deployed(snsTopicArn=TOPIC, activateTags=True).of(TAG)
    assert tag.inputs == {"tagKey": STACK_TAG, "status": "Active"}


def test_a_stack_that_names_no_budget_has_none():
    config = {"aws:region": "us-west-2", "gpu-slices:gpuNodeGroups": {"a": {"instanceType": "g6.xlarge"}}}
    assert not record(project_program(), stack="test", config=config).of(BUDGET)


@pytest.mark.parametrize("stack", STACKS)
def test_everything_that_is_launched_carries_the_tag_that_budgets_count(stack: str):
    """Default tags reach what the program creates; instances, disks and interfaces are created by others."""
    recorded, value = recording(stack), plan_of_stack(stack).tags[STACK_TAG]
    for template in recorded.of(TEMPLATE):
        tagged = {
            one["resourceType"] for one in template.inputs["tagSpecifications"] if one["tags"][STACK_TAG] == value
        }
        assert tagged == {"instance", "network-interface", "volume"}
    for node_class in recorded.of(NODE_CLASS):
        assert node_class.inputs["spec"]["tags"][STACK_TAG] == value
    (provider,) = recorded.of("pulumi:providers:aws")
    assert STACK_TAG in str(provider.inputs["defaultTags"])
