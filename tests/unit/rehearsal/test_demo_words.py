"""What a demo says of an edit, which edit it makes, and when it says that a promise was broken."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from engine.operation import Change, Operation, PropertyDiff
from rehearsal.demo import command
from rehearsal.demo.promises import in_order, nothing_left, same_as_previewed, slice_edit_promises
from rehearsal.demo.slice_edit import choose_edit, other_count
from rehearsal.demo.story import Left, Step, Story
from rehearsal.demo.telling import Teller
from rehearsal.demo.words import CONFIG_MAP, describe
from tests.support.stacks import plan_of

RELEASE = "kubernetes:helm.sh/v3:Release"
OVERLAY, NODE_POOL = "kubernetes:karpenter.sh/v1alpha1:NodeOverlay", "kubernetes:karpenter.sh/v1:NodePool"
GROUP = {"instanceType": "g6e.2xlarge"}


def config(replicas: int) -> str:
    return f"version: v1\nsharing:\n  timeSlicing:\n    resources:\n    - name: nvidia.com/gpu\n      replicas: {replicas}\n"


def change(op: str, type_: str, name: str, *diffs: PropertyDiff, **more) -> Change:
    return Change(op=op, type=type_, name=name, urn=f"urn::{type_}::{name}", diffs=diffs, **more)


def diff(path: str, old=None, new=None) -> PropertyDiff:
    return PropertyDiff(path=path, kind="update", old=old, new=new)


def operation(*changes: Change, kind: str = "preview") -> Operation:
    return Operation(kind=kind, changes=changes, unchanged=60)


def said(*changes: Change) -> list[str]:
    return [str(line) for line in describe(operation(*changes), {"l40s", "exclusive"}).lines]


def test_a_text_in_the_charts_values_is_told_by_the_key_that_changed():
    edit = diff("values.config.map.l40s", config(10), config(4))
    assert said(change("update", RELEASE, "plugin", edit)) == ["the plugin's config of pool l40s: replicas 10 → 4"]


def test_a_new_config_map_is_told_by_what_differs_from_the_old_one():
    old = {"data": {"exclusive": "version: v1\n", "l40s": config(10)}, "metadata": {"name": "slices-0123456789"}}
    new = {"data": {"exclusive": "version: v1\n", "l40s": config(4)}, "metadata": {"name": "slices-abcdefabcd"}}
    assert said(
        change("create", CONFIG_MAP, "platform-slices-abcdefabcd", inputs=new),
        change("delete", CONFIG_MAP, "platform-slices-0123456789", inputs=old),
    ) == [
        "the plugin's config of pool l40s: replicas 10 → 4",
        "ConfigMap slices: metadata.name slices-0123456789 → slices-abcdefabcd",
    ]


def test_keys_that_would_be_mistaken_for_each_other_are_told_in_full():
    old, new = "a: {replicas: 1}\nb: {replicas: 1}\n", "a: {replicas: 2}\nb: {replicas: 3}\n"
    assert said(change("update", RELEASE, "plugin", diff("values.config.map.l40s", old, new))) == [
        "the plugin's config of pool l40s: a.replicas 1 → 2",
        "the plugin's config of pool l40s: b.replicas 1 → 3",
    ]


def test_a_whole_config_that_comes_or_goes_is_said_to():
    added = change("update", RELEASE, "plugin", diff("values.config.map.l40s", None, config(4)))
    removed = change("update", RELEASE, "plugin", diff("values.config.map.l40s", config(4), None))
    assert said(added) == ["the plugin's config of pool l40s: added"]
    assert said(removed) == ["the plugin's config of pool l40s: removed"]


def test_things_are_called_by_their_own_names():
    inputs = {"metadata": {"name": "burst"}}
    overlay = change("update", OVERLAY, "platform-burst-nodeoverlay", diff("spec.capacity", "10", "4"), inputs=inputs)
    assert said(overlay) == ["NodeOverlay burst: spec.capacity 10 → 4"]


def test_the_summary_counts_by_kind_and_shouts_a_replacement():
    quiet = describe(operation(change("update", RELEASE, "plugin")), set())
    assert quiet.summary == "no cluster, node group, node or release is replaced; updated 1 Release; 60 unchanged"
    loud = describe(operation(change("replace", "aws:eks/nodeGroup:NodeGroup", "gpu")), set())
    assert loud.summary.startswith("REPLACED: NodeGroup gpu;")


def test_without_an_engine_nothing_is_said_about_replacements():
    undecided = operation(change("update", RELEASE, "plugin"), kind="declare")
    assert "only an engine can say" in describe(undecided, set()).summary
    assert not any("replaces" in promise.words for promise in slice_edit_promises(undecided))


BREAKS = {
    "replaces": change("replace", RELEASE, "plugin"),
    "in AWS": change("update", "aws:eks/nodeGroup:NodeGroup", "gpu", diff("labels.x")),
    "made from": change("update", NODE_POOL, "pool", diff("spec.template.metadata.labels.x")),
    "at most config maps": change("delete", RELEASE, "plugin"),
}


@pytest.mark.parametrize("words", BREAKS)
def test_each_promise_of_a_slice_edit_can_be_broken(words: str):
    broken = [promise for promise in slice_edit_promises(operation(BREAKS[words])) if not promise.kept]
    assert any(words in promise.words for promise in broken)
    assert all(BREAKS[words].name in promise.broken_by[0] for promise in broken)


def test_a_limit_that_moves_is_no_broken_promise():
    edit = operation(change("update", NODE_POOL, "pool", diff("spec.limits", "100", "40")))
    assert all(promise.kept for promise in slice_edit_promises(edit))


def test_an_overlay_that_moves_before_the_plugin_breaks_the_order():
    release, overlay = (change("update", type_, "x") for type_ in (RELEASE, OVERLAY))
    good = operation(_at(release, 1, 2), _at(overlay, 3, 4))
    bad = operation(_at(release, 1, 4), _at(overlay, 3, 5))
    assert in_order(good).kept
    assert in_order(bad).broken_by == ("update NodeOverlay x",)


def test_an_up_that_does_more_than_previewed_is_noticed():
    edit, more = change("update", RELEASE, "plugin"), change("update", NODE_POOL, "pool")
    assert same_as_previewed(operation(edit), operation(edit)).kept
    assert same_as_previewed(operation(edit), operation(edit, more)).broken_by == ("update NodePool pool",)


def _at(step: Change, started: int, finished: int) -> Change:
    return Change(op=step.op, type=step.type, name=step.name, urn=step.urn, started=started, finished=finished)


def test_the_edit_is_made_where_the_stack_file_states_the_number():
    shared = {"replicas": 10, "gpuNodeGroups": {"l40s": GROUP}}
    own = {"gpuNodeGroups": {"l40s": {**GROUP, "replicas": 4}}}
    by_stack, by_pool = choose_edit(plan_of(shared), shared), choose_edit(plan_of(own), own)
    assert by_stack is not None
    assert by_pool is not None
    assert (by_stack.path, by_stack.before, by_stack.after) == ("replicas", 10, 4)
    assert (by_pool.path, by_pool.before, by_pool.after) == ("gpuNodeGroups.l40s.replicas", 4, 2)
    assert by_stack.command == "pulumi config set replicas 4"
    assert by_pool.command == "pulumi config set --path gpuNodeGroups.l40s.replicas 2"


def test_a_stack_of_whole_gpus_gets_no_slice_edit():
    raw = {"gpuNodeGroups": {"l40s": GROUP}}
    assert choose_edit(plan_of(raw), raw) is None


@given(st.integers(2, 500))
def test_an_edit_changes_the_number_and_never_ends_sharing(replicas: int):
    after = other_count(replicas)
    assert after != replicas
    assert after > 1
    assert after <= max(replicas // 2, 4)


def story(**changed) -> Story:
    step = Step(name="up", seconds=1.0, counts={"create": 1})
    whole = {"steps": (step,), "promises": (nothing_left((), ()),), "left": Left(state=(), account=())}
    return Story(stack="dev", engine="pulumi", edit=None, diff=None, outputs={}, **{**whole, **changed})


def test_a_broken_promise_fails_the_demo(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    left = Left(state=("urn::vpc",), account=("vpc-1",))
    told = story(promises=(nothing_left(left.state, left.account),), left=left)
    monkeypatch.setattr(command, "_run", lambda demo, dry: told)
    assert command.main(["--stack", "dev"]) == command.BROKEN
    output = capsys.readouterr().out
    assert "✗ destroy left nothing behind" in output
    assert "urn::vpc" in output
    assert "1 resources left (state: 1, account: 1)" in output


def test_the_closing_says_that_nothing_is_left():
    buffer = io.StringIO()
    Teller(Console(file=buffer, width=100)).closing(story())
    assert buffer.getvalue().rstrip().endswith("0 resources left (state: 0, account: 0)")
