"""`diff` as a reviewer and a pipeline use it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from gpu_slices.cli.main import main
from gpu_slices.report.markdown import COMMENT_BYTES
from tests.support.stacks import ROOT, STACKS

#: What fits onto a screen of 1,000 pixels, table rows and bullets broken over two lines.
SCREEN_LINES = 45


@pytest.fixture
def _in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


pytestmark = pytest.mark.usefixtures("_in_the_project")


def markdown(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(["diff", *arguments, "--format", "markdown"]) == code
    return capsys.readouterr().out


def seen(report: str) -> str:
    """What is on the screen before anything is unfolded."""
    return re.sub(r"(?s)(<summary>.*?</summary>).*?</details>", r"\1", report)


DEV_EDIT = ("--stack", "dev", "--set", "replicas=4")


def test_the_everyday_edit_is_told_on_one_screen(capsys: pytest.CaptureFixture[str]):
    screen = seen(markdown(capsys, *DEV_EDIT))
    for words in (
        "replicas 10 → 4",
        "4.5 → 11.2 GiB (of 44.7)",
        "$0.224 → $0.561",
        "0.8 → 2.0",
        "no node is replaced; the device plugin restarts",
        "tenant `llm-testing`: quota 10 → 4 nvidia.com/gpu; 10 → 4 advertised at the limit",
        "worth 1.0 GPUs",
        "```mermaid",
        "nobody is evicted",
        "prices of us-east-1",
    ):
        assert words in screen, words
    assert len([line for line in screen.splitlines() if line]) <= SCREEN_LINES


def test_the_operators_haste_is_said_and_so_is_the_key_that_decides(capsys: pytest.CaptureFixture[str]):
    report = markdown(capsys, *DEV_EDIT)
    assert "the operator takes the new config over after pulumi up has ended" in report
    assert "| `replicas` | 10 → 4 | restart |" in report


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_the_same_input_gives_the_same_bytes(stack: str, form: str, capsys: pytest.CaptureFixture[str]):
    outputs = []
    for _ in range(2):
        main(["diff", "--stack", stack, "--set", "replicas=3", "--set", "tags.x=y", "--format", form])
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]
    assert outputs[0].endswith("\n")


def test_karpenter_hears_of_the_edit_too(capsys: pytest.CaptureFixture[str]):
    report = markdown(capsys, "--stack", "karpenter", "--set", "replicas=4")
    assert "limit of burst: 100 → 40 slices" in report
    assert "Every instance type (6)" in report


def test_another_instance_type_is_shown_against_the_one_it_replaces(capsys: pytest.CaptureFixture[str]):
    screen = seen(markdown(capsys, "--stack", "p3", "--set", "gpuNodeGroups.v100.instanceType=g6e.12xlarge"))
    assert "p3.8xlarge → g6e.12xlarge, 4 L40S |" in screen
    assert "4.0 → 11.2 GiB (of 44.7)" in screen
    assert "$0.765 → $0.656" in screen


def test_as_json_all_numbers_are_there(capsys: pytest.CaptureFixture[str]):
    assert main(["diff", *DEV_EDIT, "--format", "json"]) == 0
    (stack,) = json.loads(capsys.readouterr().out)["stacks"]
    shape = stack["pools"]["l40s"]["types"]["g6e.2xlarge"]
    assert (shape["old"]["gpuMemoryMiBPerSlice"], shape["new"]["gpuMemoryMiBPerSlice"]) == (4577, 11444)
    assert (shape["old"]["usdPerSliceHour"], shape["new"]["usdPerSliceHour"]) == (0.224208, 0.56052)
    assert stack["pools"]["l40s"]["onSliceEdit"] == "restart"
    assert stack["tenants"][0]["new"] == {"quota": 4, "slicesAtLimit": 4, "neverAtOnce": 0, "worthGpus": 1.0}
    assert stack["effect"] == "restart"
    assert stack["cost"]["growthPercent"] == 0


def test_writing_a_default_out_or_the_same_count_as_text_is_no_edit(capsys: pytest.CaptureFixture[str]):
    report = markdown(
        capsys, "--stack", "dev", "--set", "gpuNodeGroups.l40s.replicas=10", "--set", "network.nat=single"
    )
    assert "10 → 10" not in report
    assert "no node is replaced and nothing restarts" in report


def test_it_fails_on_request_when_somebody_must_look(capsys: pytest.CaptureFixture[str]):
    assert main(["diff", *DEV_EDIT, "--fail-on", "risk"]) == 1
    assert "stack dev: 1 at risk: gpuNodeGroups.l40s" in capsys.readouterr().err
    assert main(["diff", "--stack", "dev", "--set", "tenants.llm-testing.slices=5", "--fail-on", "risk"]) == 0


@pytest.mark.parametrize(("most", "code"), [("cost=174%", 1), ("cost=176", 0)])
def test_it_fails_on_request_when_it_becomes_too_dear(most: str, code: int, capsys: pytest.CaptureFixture[str]):
    more = ("--set", "gpuNodeGroups.l40s.desired=3", "--set", "gpuNodeGroups.l40s.max=3")
    assert main(["diff", "--stack", "dev", *more, "--fail-on", most]) == code
    assert ("175 % dearer" in capsys.readouterr().err) == bool(code)


def test_a_price_that_nobody_knows_is_not_taken_for_cheap(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    path = tmp_path / "Pulumi.x.yaml"
    path.write_text("config: {aws:region: us-west-2, systemNodes: {instanceType: x9.large}}")
    assert main(["diff", "--file", str(path), "--set", "systemNodes.max=5", "--fail-on", "cost=50"]) == 1
    assert "nobody knows whether it becomes dearer: no price of system nodes, 2 × x9.large" in capsys.readouterr().err


def test_an_edit_that_gives_the_card_out_twice_never_passes(capsys: pytest.CaptureFixture[str]):
    report = markdown(capsys, "--stack", "p3", "--set", "sharing.renameResource=true", code=1)
    assert "**stop** `gpuNodeGroups.v100`: nvidia.com/gpu becomes nvidia.com/gpu.shared" in report
    assert "Make a pool of another name" in report


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_settings_with_mistakes_are_a_report_of_the_mistakes(form: str, capsys: pytest.CaptureFixture[str]):
    arguments = ["--stack", "dev", "--set", "replicas=four", "--set", "gpuStak=x"]
    assert main(["diff", *arguments, "--format", form]) == 2
    report = capsys.readouterr().out
    assert "'four' is not a number of slices" in report
    assert 'did you mean "gpuStack"' in json.loads(json.dumps(report)).replace('\\"', '"')


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--base", "no-such-revision"], "no-such-revision: is neither a file nor a git revision"),
        (["--base=--upload-pack=x"], "is neither a file nor a git revision"),
        (["--stack", "nope"], "there is no file Pulumi.nope.yaml"),
        (["--stack", "dev", "--set", "replicas"], "replicas: has no value"),
        (["--stack", "dev", "--set", "a..b=1"], "a..b: is not a path to a key"),
        (["--stack", "dev", "--unset", "sharing.strategy"], "sharing.strategy: is not set"),
        (["--head", "HEAD"], "--head: has nothing to be compared with"),
        ([], "diff: names no stack"),
        (["--base", "Pulumi.dev.yaml"], "name two files or two git revisions"),
    ],
)
def test_what_cannot_be_compared_is_one_line(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]):
    assert main(["diff", *arguments]) == 2
    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()
    assert words in line
    assert captured.out == ""


def test_a_cluster_that_does_not_answer_leaves_the_rest_of_the_report(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        "{apiVersion: v1, kind: Config, current-context: a, contexts: [{name: a, context: {cluster: a, user: a}}], "
        "clusters: [{name: a, cluster: {server: 'https://127.0.0.1:9'}}], users: [{name: a, user: {token: x}}]}"
    )
    assert main(["diff", *DEV_EDIT, "--live", "--kubeconfig", str(kubeconfig), "--format", "markdown"]) == 2
    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()
    assert line.startswith("--live: no cluster answers")
    assert "no cluster answers" in captured.out
    assert "4.5 → 11.2 GiB (of 44.7)" in captured.out


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with two stacks: one edited, one removed, one added since `v1`; and one that was always wrong."""
    monkeypatch.chdir(tmp_path)
    stack = "config: {aws:region: us-west-2, gpu-slices:replicas: 10, gpuNodeGroups: {a: {instanceType: g6.xlarge}}}\n"

    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *arguments], check=True, capture_output=True, cwd=tmp_path)

    git("init", "-q")
    for name in ("edited", "goes", "same"):
        (tmp_path / f"Pulumi.{name}.yaml").write_text(stack)
    (tmp_path / "Pulumi.yaml").write_text("name: gpu-slices\n")
    git("add", ".")
    git("commit", "-qm", "one")
    git("tag", "v1")
    (tmp_path / "Pulumi.edited.yaml").write_text(stack.replace("10", "4"))
    (tmp_path / "Pulumi.goes.yaml").unlink()
    (tmp_path / "Pulumi.comes.yaml").write_text(stack)
    git("add", "-A")
    git("commit", "-qm", "two")
    return tmp_path


def test_between_revisions_every_stack_that_differs_is_told(repository: Path, capsys: pytest.CaptureFixture[str]):
    report = markdown(capsys, "--base", "v1", "--head", "HEAD")
    assert re.findall(r"### Stack `(\w+)`: (.*)", report) == [
        ("comes", "a new stack"),
        ("edited", "replicas 10 → 4"),
        ("goes", "the stack file goes"),
    ]
    assert re.search(r"before: v1 \([0-9a-f]{7}\); after: HEAD \([0-9a-f]{7}\)", report)
    assert "same" not in report


def test_without_a_head_it_is_the_folder_as_it_is(repository: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["diff", "--base", "HEAD"]) == 0
    assert capsys.readouterr().out == "No stack file differs.\n"
    (repository / "Pulumi.same.yaml").write_text("config: {aws:region: us-west-2, replicas: 0}\n")
    assert main(["diff", "--base", "HEAD", "--format", "markdown"]) == 2
    report = capsys.readouterr().out
    assert "0 slices per GPU cannot be" in report
    assert "1 mistake in the settings after" in report


def test_two_files_are_two_sides_of_one_stack(repository: Path, capsys: pytest.CaptureFixture[str]):
    report = markdown(capsys, "--base", "Pulumi.same.yaml", "--head", "Pulumi.edited.yaml")
    assert "### Stack `edited`: replicas 10 → 4" in report


@pytest.mark.parametrize(("count", "cut"), [(100, False), (400, True)])
def test_many_pools_still_fit_into_a_comment(count: int, cut: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    pools = ", ".join(f"pool-{n}: {{instanceType: g6.12xlarge}}" for n in range(count))
    path = tmp_path / "Pulumi.big.yaml"
    path.write_text(f"config: {{aws:region: us-west-2, replicas: 10, gpuNodeGroups: {{{pools}}}}}")
    report = markdown(capsys, "--file", str(path), "--set", "replicas=4", "--set", "tags.a=b")
    assert len(report.encode()) <= COMMENT_BYTES
    assert report.count("<details>") == report.count("</details>")
    assert f'["{count - 3} more pools"]' in report
    assert f" and {count - 4} more: a node that holds more than 16 slices" in report
    assert bool(re.search(r"… and \d+ more", report)) == cut
