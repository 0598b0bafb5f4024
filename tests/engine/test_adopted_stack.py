"""An adopted cluster on the real engine: what is added comes and goes, what was there stays as it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from engine import EngineError
from rehearsal.account import EXISTING, Item
from rehearsal.aws.cluster import ADDON
from rehearsal.stage import Stage, stage
from tests.support.adoption import ADOPTED, KARPENTER, config_of, world

pytestmark = [pytest.mark.engine, pytest.mark.full]


@contextmanager
def adopting(existing: tuple[Item, ...], raw: Mapping[str, Any] = ADOPTED) -> Iterator[Stage]:
    with stage("test", config=config_of(raw), existing=existing) as played:
        yield played


def there_before(played: Stage) -> dict[tuple[str, str], Any]:
    return {(item.type, item.id): item.data for item in played.account.all() if item.urn == EXISTING}


@pytest.mark.parametrize("more", [{}, KARPENTER], ids=["node groups", "karpenter"])
def test_destroy_takes_what_was_added_and_leaves_the_cluster_as_it_was(more: Mapping[str, Any]):
    raw = {**ADOPTED, **more}
    with adopting(world(raw), raw) as played:
        before = there_before(played)
        assert {"CLUSTER", "SUBNET", "VPC"} <= {type_.rpartition(":")[2].upper() for type_, _ in before}
        assert set(played.up().summary) == {"create"}
        assert there_before(played) == before
        assert not {kind for kind, _ in before} & {one["type"] for one in played.resources()} - {"aws:iam/role:Role"}
        assert set(played.destroy().summary) == {"delete"}
        assert played.left() == ()
        assert there_before(played) == before


#: The world → the sentence.
REFUSED: dict[str, tuple[tuple[Item, ...], str]] = {
    "no such cluster": ((), "cluster prod is not there: there is no such cluster in this account and region"),
    "CONFIG_MAP": (world(accessConfig={"authenticationMode": "CONFIG_MAP"}), "has authentication mode CONFIG_MAP"),
    "Auto Mode": (world(computeConfig={"enabled": True}), "is in Auto Mode"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_cluster_that_cannot_take_the_stack_stops_preview_and_up_with_a_sentence_and_makes_nothing(case: str):
    existing, words = REFUSED[case]
    with adopting(existing) as played:
        before = played.account.all()
        for operation in (played.preview, played.up):
            with pytest.raises(EngineError) as failure:
                operation()
            assert words in str(failure.value)
            assert "Traceback" not in str(failure.value)
        assert played.account.all() == before


def test_an_addon_that_is_there_already_is_not_taken_over():
    """The stack's own would be a second one: EKS refuses the name."""
    raw = {**ADOPTED, "cluster": {"adopt": "prod", "addons": {"eks-pod-identity-agent": "v1.3.8-eksbuild.2"}}}
    with adopting(world(raw), raw) as played:
        with pytest.raises(
            EngineError, match="ResourceInUseException: Addon prod eks-pod-identity-agent already exists"
        ):
            played.up()
        before = [item for item in played.account.all() if item.type == ADDON]
        played.destroy()
        assert [item for item in played.account.all() if item.type == ADDON] == before
