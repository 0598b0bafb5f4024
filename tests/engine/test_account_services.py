"""GuardDuty and Security Hub on the real engine: begun where the account has none, adopted where it has, never ended."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine import EngineError, Operation
from rehearsal.account import ACCOUNT_ID, Account, Item
from rehearsal.aws.account_services import DETECTOR, FEATURE, HUB
from rehearsal.stage import EXISTING, Stage, stage

pytestmark = [pytest.mark.engine, pytest.mark.full]

THEIRS = "0123456789abcdef0123456789abcdef"
ADDON = "aws:eks/addon:Addon"
STACK = "p3"


def detector(**more: object) -> Item:
    arn = f"arn:aws:guardduty:us-west-2:{ACCOUNT_ID}:detector/{THEIRS}"
    data = {"arn": arn, "enable": True, "findingPublishingFrequency": "ONE_HOUR", "tagsAll": {"owner": "sec"}, **more}
    return Item(type=DETECTOR, id=THEIRS, urn=EXISTING, data=data)


def hub() -> Item:
    return Item(type=HUB, id=ACCOUNT_ID, urn=EXISTING, data={"controlFindingGenerator": "STANDARD_CONTROL"})


def turned_on(played: Stage) -> Operation:
    played.edit("security", {"guardDuty": True, "securityHub": True})
    return played.up()


def ids(account: Account, type_: str) -> list[str]:
    return [item.id for item in account.all(type_)]


@pytest.fixture
def account_without() -> Iterator[Stage]:
    with stage(STACK) as played:
        yield played


def test_an_account_without_gets_both_and_keeps_them_when_the_stack_goes_and_comes_again(account_without: Stage):
    played = account_without
    up = turned_on(played)
    assert [change.op for type_ in (DETECTOR, HUB) for change in up.of(type_)] == ["create", "create"]
    made = ids(played.account, DETECTOR)
    assert played.preview().changes == (), "what the stack itself has begun is not adopted once more"
    played.destroy()
    assert played.left() == ()
    assert (ids(played.account, DETECTOR), ids(played.account, HUB)) == (made, [ACCOUNT_ID])
    assert {item.data["status"] for item in played.account.all(FEATURE)} == {"ENABLED"}
    again = played.up()
    assert [change.op for type_ in (DETECTOR, HUB) for change in again.of(type_)] == ["import", "import"]
    assert ids(played.account, DETECTOR) == made
    assert played.preview().changes == ()


def test_what_the_account_has_is_adopted_as_it_is():
    with stage(STACK, existing=[detector(), hub()]) as played:
        up = turned_on(played)
        assert [change.op for type_ in (DETECTOR, HUB) for change in up.of(type_)] == ["import", "import"]
        assert played.preview().changes == ()
        played.edit("security", {"guardDuty": False, "securityHub": False})
        played.up()
        (kept,) = played.account.all(DETECTOR)
        (kept_hub,) = played.account.all(HUB)
        assert (kept.data["findingPublishingFrequency"], kept.data["tagsAll"]) == ("ONE_HOUR", {"owner": "sec"})
        assert kept_hub.data["controlFindingGenerator"] == "STANDARD_CONTROL"
        assert ids(played.account, ADDON).count("gpu-slices-p3:aws-guardduty-agent") == 0, "the agent is the stack's"


def test_an_agent_that_guardduty_manages_itself_is_left_to_it():
    managed = {"name": "EKS_ADDON_MANAGEMENT", "status": "ENABLED"}
    runtime = {"name": "RUNTIME_MONITORING", "status": "ENABLED", "additionalConfigurations": [managed]}
    with stage(STACK, existing=[detector(features=[runtime])]) as played:
        up = turned_on(played)
        assert [change.name for change in up.of(ADDON) if "guard" in change.name] == []
        assert up.of("aws:ec2/vpcEndpoint:VpcEndpoint") == ()


def test_the_older_runtime_monitoring_is_not_asked_to_share_with_the_newer():
    older = {"name": "EKS_RUNTIME_MONITORING", "status": "ENABLED"}
    with stage(STACK, existing=[detector(features=[older])]) as played:
        assert [change.inputs["name"] for change in turned_on(played).of(FEATURE)] == ["EKS_AUDIT_LOGS"]


def test_a_second_detector_is_refused_as_aws_refuses_it(monkeypatch: pytest.MonkeyPatch):
    """What happens when the look into the account fails: nothing is doubled."""
    monkeypatch.setattr("components.guard_duty.found", lambda _look: None)
    with stage(STACK, existing=[detector()]) as played:
        with pytest.raises(EngineError, match="a detector already exists for the current account"):
            turned_on(played)
        assert ids(played.account, DETECTOR) == [THEIRS]
