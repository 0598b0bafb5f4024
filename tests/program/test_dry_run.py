"""The demo without an engine: labelled as a dry run, and with the way to get an engine."""

from __future__ import annotations

import json

import pytest

from engine import NoEngine
from rehearsal.demo import command, scenario
from tests.support.stacks import STACKS


def test_without_an_engine_the_demo_says_so_and_how_to_get_one(monkeypatch: pytest.MonkeyPatch, capsys):
    def nowhere():
        raise NoEngine("There is no Pulumi engine: run `make engine`")

    monkeypatch.setattr(command, "provide", nowhere)
    assert command.main(["--stack", "p3"]) == command.FINE
    captured = capsys.readouterr()
    assert "make engine" in captured.err
    assert "DRY RUN of stack p3: no Pulumi engine takes part" in captured.out
    assert "nobody decides whether a change replaces" in captured.out
    assert "resources left" not in captured.out


@pytest.mark.full
@pytest.mark.parametrize("stack", STACKS)
def test_a_dry_run_shows_the_edit_of_every_stack_file(stack, capsys):
    assert command.main(["--stack", stack, "--dry-run", "--format", "json"]) == command.FINE
    story = json.loads(capsys.readouterr().out)
    pool, before, after = (story["edit"][key] for key in ("pool", "before", "after"))
    line = {"subject": f"the plugin's config of pool {pool}", "path": "replicas", "old": before, "new": after}
    assert line in story["diff"]["lines"]
    assert story["diff"]["replaced"] is None
    assert story["left"] is None


def test_settings_with_mistakes_are_told_one_a_line_before_anything_runs(tmp_path, monkeypatch, capsys):
    text = "config:\n  aws:region: us-west-2\n  gpu-slices:replicas: four\n  gpu-slices:clutser: {name: x}\n"
    (tmp_path / "Pulumi.bad.yaml").write_text(text)
    monkeypatch.setattr(scenario, "ROOT", tmp_path)
    assert command.main(["--stack", "bad"]) == command.WRONG_INPUT
    captured = capsys.readouterr()
    assert captured.out == ""
    assert [line.split(":")[0] for line in captured.err.splitlines()] == ["clutser", "replicas"]


def test_a_stack_that_does_not_exist_is_answered_with_those_that_do(capsys):
    assert command.main(["--stack", "nowhere"]) == command.WRONG_INPUT
    assert "write one of: " in capsys.readouterr().err
