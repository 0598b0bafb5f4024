"""A stack with every switch on, on the real engine: it comes up, settles, and leaves only what the account keeps."""

from __future__ import annotations

import pytest

from engine import EngineError
from rehearsal.aws.account_services import DETECTOR, FEATURE, HUB
from rehearsal.stage import EXISTING, stage
from tests.support.state_secrets import leaks
from tests.support.switches import STACK, config, emergency, reservation

pytestmark = [pytest.mark.engine, pytest.mark.full]

PACKAGED = frozenset({"platform-cluster-eks", "platform-cluster-eks-eks-k8s"})


def test_everything_comes_up_settles_and_goes():
    with stage(STACK, config=config(), existing=[reservation(), emergency()]) as played:
        preview, up = played.preview(), played.up()
        assert {change.urn for change in preview.changes} == {change.urn for change in up.changes}
        assert played.preview().changes == ()
        assert leaks(played.stored(), shown=PACKAGED) == []
        played.destroy()
        assert played.left() == ()
        kept = {item.type for item in played.account.all() if item.urn != EXISTING}
        assert kept == {DETECTOR, FEATURE, HUB}


def test_a_block_of_another_zone_than_it_says_is_refused_in_words_one_can_act_on():
    elsewhere = [reservation("us-east-1c"), emergency()]
    words = r"is in us-east-1c, the subnets in us-east-1b"
    with stage(STACK, config=config(), existing=elsewhere) as played, pytest.raises(EngineError, match=words):
        played.up()
