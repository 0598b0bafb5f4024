"""`preview` on the real engine: on stand-ins, and as on a real account, over a file backend that holds a stack."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from gpu_slices.cli.main import main
from rehearsal.account import ACCOUNT_VARIABLE
from rehearsal.stage import Stage, stage
from tests.support.stacks import ROOT

STACK = "dev"
EDIT = ("--set", "replicas=4")


@pytest.fixture
def _in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("_in_the_project")]


@pytest.fixture(scope="module")
def deployed() -> Iterator[Stage]:
    """The stack, up on stand-ins. Tests preview it and leave it as it is."""
    with stage(STACK) as staged:
        staged.up()
        yield staged


@pytest.fixture
def backend(deployed: Stage, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a pipeline has in its environment: the backend and the providers. Returns the stack file as deployed."""
    base = deployed.folder.parent
    monkeypatch.setenv("PULUMI_HOME", str(base / "home"))
    monkeypatch.setenv("PULUMI_BACKEND_URL", (base / "state").as_uri())
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "rehearsal")
    monkeypatch.setenv("PULUMI_SKIP_UPDATE_CHECK", "true")
    monkeypatch.setenv("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "true")
    monkeypatch.setenv("PULUMI_IGNORE_AMBIENT_PLUGINS", "true")
    monkeypatch.setenv(ACCOUNT_VARIABLE, str(base / "account.sqlite"))
    return deployed.folder / f"Pulumi.{STACK}.yaml"


def preview(*arguments: str, form: str = "markdown") -> int:
    return main(["preview", *arguments, "--format", form])


def test_the_everyday_edit_rehearsed_updates_the_plugins_config_and_nothing_else(capsys: pytest.CaptureFixture[str]):
    assert preview("--stack", STACK, *EDIT, "--rehearse") == 0
    report = capsys.readouterr().out
    assert "no node is replaced; the device plugin restarts" in report
    assert "4.5 → 11.2 GiB (of 44.7)" in report
    assert re.search(r"\*\*The engine's preview\*\*: 3 updated, \d+ unchanged", report)
    assert "values.devicePlugin.config.name" in report
    assert report.index("4.5 → 11.2") < report.index("The engine's preview")


def test_what_is_deployed_is_the_side_before(backend: Path, capsys: pytest.CaptureFixture[str]):
    before = backend.read_text()
    assert preview("--file", str(backend), *EDIT, form="json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["before"]["where"] == "what is deployed"
    assert [(edit["path"], edit["old"], edit["new"]) for edit in report["edits"]] == [("replicas", 10, 4)]
    assert {change["kind"] for change in report["engine"]["changes"]} == {"updated"}
    assert backend.read_text() == before


@pytest.mark.full
def test_nothing_edited_is_nothing_changed_and_the_same_bytes_each_time(
    backend: Path, capsys: pytest.CaptureFixture[str]
):
    outputs = []
    for _ in range(2):
        assert preview("--file", str(backend), "--fail-on", "changes") == 0
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]
    assert "**The engine's preview**: nothing changes" in outputs[0]


@pytest.mark.full
def test_a_change_fails_a_run_that_asks_for_none(backend: Path, capsys: pytest.CaptureFixture[str]):
    assert preview("--file", str(backend), *EDIT, "--refresh", "--fail-on", "changes") == 1
    assert "the engine would change something" in capsys.readouterr().err


@pytest.mark.full
@pytest.mark.parametrize(
    ("edit", "key", "replaced"),
    [
        (
            "gpuNodeGroups.l40s.instanceType=g6e.xlarge",
            "gpuNodeGroups.l40s.instanceType",
            {"aws:eks/nodeGroup:NodeGroup"},
        ),
        ("cluster.name=other", "cluster.name", {"aws:eks/cluster:Cluster", "aws:eks/nodeGroup:NodeGroup"}),
        ("network.cidr=10.9.0.0/16", "network.cidr", {"aws:ec2/vpc:Vpc", "aws:eks/nodeGroup:NodeGroup"}),
    ],
)
def test_what_the_table_calls_replaced_the_engine_replaces(
    edit: str, key: str, replaced: set[str], backend: Path, capsys: pytest.CaptureFixture[str]
):
    assert preview("--file", str(backend), "--set", edit, form="json") == 0
    report = json.loads(capsys.readouterr().out)
    assert {edit["path"]: edit["effect"] for edit in report["edits"]} == {key: "replace"}
    changes = report["engine"]["changes"]
    assert replaced <= {change["type"] for change in changes if change["kind"] == "replaced"}
    assert all(change["because"] for change in changes if change["kind"] == "replaced")
    kinds = [change["kind"] for change in changes]
    assert kinds == sorted(kinds, key=["replaced", "deleted", "updated", "created"].index)


@pytest.mark.full
def test_an_error_in_the_middle_leaves_the_report_and_what_the_engine_had_seen(
    backend: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    broken = tmp_path / "account.sqlite"
    broken.write_text("a cloud that answers nonsense " * 100)
    monkeypatch.setenv(ACCOUNT_VARIABLE, str(broken))
    assert preview("--file", str(backend), *EDIT, "--refresh") == 1
    captured = capsys.readouterr()
    assert "**The engine's preview failed**" in captured.out
    assert "**error**" in captured.out
    assert "4.5 → 11.2 GiB (of 44.7)" in captured.out
    lines = captured.err.splitlines()
    assert lines[-1].startswith(f"preview of stack {STACK} failed:")
    assert "Traceback" not in captured.err


@pytest.mark.full
def test_a_stack_that_the_backend_does_not_know_is_one_line_below_the_report(
    backend: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    new = tmp_path / "Pulumi.fresh.yaml"
    new.write_text(yaml.safe_dump({"config": {"aws:region": "us-west-2"}}))
    assert preview("--file", str(new)) == 2
    captured = capsys.readouterr()
    assert "### Stack `fresh`: a new stack" in captured.out
    assert "no stack named 'fresh' found" in captured.out
    assert "pulumi stack init fresh" in captured.err
    assert "Traceback" not in captured.err


@pytest.mark.full
def test_a_backend_that_does_not_answer_is_one_line_below_the_report(
    backend: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("PULUMI_BACKEND_URL", (tmp_path / "nowhere").as_uri())
    assert preview("--file", str(backend), *EDIT) == 1
    captured = capsys.readouterr()
    assert "replicas 10 → 4" in captured.out
    assert "The engine's preview did not begin" in captured.out
    (line,) = captured.err.splitlines()
    assert "unable to open state directory" in line
    assert "stack init" not in line


@pytest.mark.full
def test_a_stack_without_state_is_all_to_be_made(capsys: pytest.CaptureFixture[str]):
    assert preview("--stack", STACK, "--rehearse") == 0
    report = capsys.readouterr().out
    assert "everything is made; there is nothing to compare with" in report
    assert re.search(r"\*\*The engine's preview\*\*: \d+ created", report)


def test_settings_with_mistakes_never_reach_the_engine(backend: Path, capsys: pytest.CaptureFixture[str]):
    assert preview("--file", str(backend), "--set", "replicas=four") == 2
    captured = capsys.readouterr()
    assert "'four' is not a number of slices" in captured.out
    assert "engine" not in captured.err


@pytest.mark.full
def test_a_base_that_is_named_is_the_side_before(backend: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    base = tmp_path / f"Pulumi.{STACK}.yaml"
    tree = yaml.safe_load(backend.read_text())
    base.write_text(yaml.safe_dump({"config": {**tree["config"], "gpu-slices:replicas": 2}}))
    assert preview("--file", str(backend), "--base", str(base)) == 0
    assert "replicas 2 → 10" in capsys.readouterr().out


@pytest.mark.full
def test_settings_of_an_older_program_leave_the_engines_own_words(
    backend: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    from gpu_slices.cli import previewed

    own = previewed.own_settings
    monkeypatch.setattr(previewed, "own_settings", lambda config: {**own(config), "slicesPerGpu": 4})
    assert preview("--file", str(backend), *EDIT) == 0
    report = capsys.readouterr().out
    assert "does not understand (slicesPerGpu)" in report
    assert "3 updated" in report


@pytest.mark.full
def test_what_a_policy_pack_forbids_is_in_the_report(capsys: pytest.CaptureFixture[str]):
    assert preview("--stack", STACK, "--set", "replicas=48", "--rehearse", "--policy-pack", "policy") == 1
    sentence = "pool l40s has 48 slices per GPU, environment default allows 16"
    told = capsys.readouterr()
    assert sentence in told.out
    assert sentence in told.err
