"""`cost`, `stacks` and `config-schema` as a person uses them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gpu_slices.cli.main import main
from tests.support.stacks import NEW_CLUSTERS, ROOT, STACKS


@pytest.fixture
def _in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def told(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(list(arguments)) == code
    return capsys.readouterr().out


@pytest.mark.usefixtures("_in_the_project")
@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_every_stack_has_a_price_and_says_of_which_region(stack: str, form: str, capsys: pytest.CaptureFixture[str]):
    shown = told(capsys, "cost", "--stack", stack, "--format", form)
    assert "us-east-1" in shown
    assert ("EKS control plane" in shown) == (stack in NEW_CLUSTERS), "somebody else pays for an adopted cluster"
    assert "Traceback" not in shown


@pytest.mark.usefixtures("_in_the_project")
def test_the_break_even_follows_the_occupancy(capsys: pytest.CaptureFixture[str]):
    half, full = (
        json.loads(told(capsys, "cost", "--stack", "dev", "--occupancy", share, "--format", "json"))["breakEven"][
            "l40s"
        ]
        for share in ("50", "100%")
    )
    assert half["usdPerHeldSliceHour"] == pytest.approx(2 * full["usdPerHeldSliceHour"])
    assert half["slicesHeld"] == full["slicesHeld"] == 5
    assert half["saved"] < full["saved"]


@pytest.mark.usefixtures("_in_the_project")
@pytest.mark.parametrize("share", ["0", "101", "half", "-5"])
def test_an_occupancy_that_cannot_be_is_refused(share: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as end:
        main(["cost", "--stack", "dev", f"--occupancy={share}"])
    assert end.value.code == 2
    assert "no share of the slices" in capsys.readouterr().err


@pytest.mark.usefixtures("_in_the_project")
def test_all_stacks_stand_in_one_table(capsys: pytest.CaptureFixture[str]):
    table = told(capsys, "stacks")
    rows = {line.split()[0]: line for line in table.splitlines() if line.strip()}
    assert set(STACKS) <= set(rows)
    for words in ("us-west-2", "10", "4.5 GiB", "$0.224", "$1,895 ($2,020)"):
        assert words in rows["dev"]
    figures = json.loads(told(capsys, "stacks", "--format", "json"))["stacks"]
    assert figures["karpenter"]["pools"]["burst"]["slicesAtLimit"] == {"nvidia.com/gpu": 100}
    assert "| dev | us-west-2 | l40s | 10 |" in told(capsys, "stacks", "--format", "markdown")


def test_a_stack_with_mistakes_is_a_row_and_a_line_for_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Pulumi.good.yaml").write_text("config: {aws:region: us-west-2}")
    (tmp_path / "Pulumi.bad.yaml").write_text("config: {replicas: 0, x: 1}")
    assert main(["stacks"]) == 2
    captured = capsys.readouterr()
    assert "3 mistakes" in captured.out
    assert "good" in captured.out
    assert len(captured.err.splitlines()) == 3
    assert all(line.startswith("bad: ") for line in captured.err.splitlines())


def test_a_folder_without_stack_files_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    assert main(["stacks"]) == 2
    assert "has no stack file" in capsys.readouterr().err


def test_the_schema_goes_where_it_is_asked_to(tmp_path: Path):
    assert main(["config-schema", "--out", str(tmp_path / "schema.json")]) == 0
    assert json.loads((tmp_path / "schema.json").read_text())["title"] == "A stack file of gpu-slices"
