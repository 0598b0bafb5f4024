"""Workflows, their scripts and renovate.json: what a mistake in them would cost is found here, not on GitHub."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.binary import pinned
from gpu_slices import versions
from gpu_slices.report.review_markdown import marker
from gpu_slices.versions import ChartPin
from tests.support.stacks import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS = [*WORKFLOWS, *(ROOT / ".github" / "actions").glob("*/action.yml")]
SCRIPTS = ROOT / ".github" / "scripts"


def read(path: Path) -> dict[Any, Any]:
    return yaml.safe_load(path.read_text())


def jobs() -> list[tuple[str, str, dict[str, Any]]]:
    return [(path.name, name, job) for path in WORKFLOWS for name, job in read(path)["jobs"].items()]


def steps(path: Path) -> list[dict[str, Any]]:
    tree = read(path)
    if "runs" in tree:
        return tree["runs"]["steps"]
    return [step for job in tree["jobs"].values() for step in job["steps"]]


def test_there_are_the_four():
    assert [path.stem for path in WORKFLOWS] == ["drift", "preview", "test", "up"]


@pytest.mark.parametrize("path", ACTIONS, ids=lambda path: path.parent.name + "/" + path.name)
def test_every_action_is_pinned_by_digest_and_says_its_version(path: Path):
    for line in path.read_text().splitlines():
        if "uses:" in line and "uses: ./" not in line:
            assert re.search(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_nothing_is_permitted_that_a_job_does_not_ask_for(path: Path):
    assert read(path)["permissions"] == {}
    assert "pull_request_target" not in path.read_text()


def test_every_job_ends_and_asks_for_little():
    may_write = {
        ("preview.yml", "preview"): {"id-token", "pull-requests"},
        ("up.yml", "preview"): {"id-token"},
        ("up.yml", "up"): {"id-token"},
        ("drift.yml", "drift"): {"id-token", "issues"},
    }
    for workflow, name, job in jobs():
        assert job["timeout-minutes"] <= 120
        writes = {scope for scope, level in job["permissions"].items() if level == "write"}
        assert writes == may_write.get((workflow, name), set()), (workflow, name)
        assert job["permissions"].get("contents") == "read"


def test_a_forks_pull_request_meets_neither_identity_nor_secret():
    tree = read(ROOT / ".github" / "workflows" / "preview.yml")
    assert "secrets." not in yaml.safe_dump(tree["jobs"]["diff"])
    assert "github.event.pull_request.head.repo.full_name == github.repository" in tree["jobs"]["preview"]["if"]
    gate = (ROOT / ".github" / "workflows" / "test.yml").read_text()
    assert "secrets." not in gate
    assert "id-token" not in gate


@pytest.mark.parametrize("path", ACTIONS, ids=lambda path: path.parent.name + "/" + path.name)
def test_no_text_of_a_pull_request_becomes_part_of_a_command(path: Path):
    for step in steps(path):
        assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("path", ACTIONS, ids=lambda path: path.parent.name + "/" + path.name)
def test_no_checkout_leaves_the_token_behind(path: Path):
    for step in steps(path):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_only_an_approved_environment_changes_the_cloud():
    for workflow, name, job in jobs():
        commands = " ".join(step.get("run", "") for step in job["steps"])
        if "pulumi up" in commands:
            assert (workflow, name) == ("up.yml", "up")
            assert job["environment"] == "${{ matrix.stack }}"
            assert job["concurrency"]["cancel-in-progress"] is False
            assert "AWS_DEPLOY_ROLE" in yaml.safe_dump(job)
        else:
            assert "AWS_DEPLOY_ROLE" not in yaml.safe_dump(job)


def test_the_engine_of_the_pipelines_is_the_one_that_tests_run():
    for path in WORKFLOWS:
        assert read(path).get("env", {}).get("PULUMI_VERSION", pinned()) == pinned()


def test_the_commands_of_the_workflows_exist():
    from gpu_slices.cli.main import COMMANDS

    known = {command.name for command in COMMANDS}
    text = "\n".join(path.read_text() for path in [*WORKFLOWS, *SCRIPTS.glob("*.sh")])
    assert set(re.findall(r"python -m gpu_slices ([\w-]+)", text)) <= known


@pytest.fixture
def github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `gh` that answers from files in the folder and writes down what it was asked."""
    gh = tmp_path / "gh"
    gh.write_text(
        "#!/usr/bin/env bash\n"
        f'printf "%s\\n" "$*" >> {tmp_path}/asked\n'
        f'case "$*" in\n'
        f'*--paginate*) jq -r "${{*: -1}}" {tmp_path}/comments.json ;;\n'
        f"'issue list'*) cat {tmp_path}/issue ;;\n"
        f"'issue create'*) echo https://github.example/o/r/issues/77 ;;\n"
        "esac\n"
    )
    gh.chmod(0o755)
    (tmp_path / "comments.json").write_text("[]")
    (tmp_path / "issue").write_text("")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("GITHUB_REPOSITORY", "o/r")
    return tmp_path


def run(script: str, *arguments: str, folder: Path) -> list[str]:
    """What the script asked of GitHub."""
    subprocess.run([SCRIPTS / script, *arguments], check=True, cwd=folder, capture_output=True)
    asked = folder / "asked"
    return asked.read_text().splitlines() if asked.exists() else []


def test_the_first_report_makes_the_comment_and_the_next_updates_it(github: Path):
    report = github / "report.md"
    report.write_text(f"{marker('dev')}\n\nwords\n")
    assert run("sticky-comment.sh", "5", str(report), folder=github)[-1] == (
        f"api --method POST repos/o/r/issues/5/comments -F body=@{report} --jq .html_url"
    )
    comments = [
        {"id": 1, "user": {"type": "User"}, "body": f"{marker('dev')} I quote"},
        {"id": 2, "user": {"type": "Bot"}, "body": f"{marker('karpenter')}\n"},
        {"id": 3, "user": {"type": "Bot"}, "body": f"{marker('dev')}\n\nold words"},
    ]
    (github / "comments.json").write_text(json.dumps(comments))
    assert run("sticky-comment.sh", "5", str(report), folder=github)[-1] == (
        f"api --method PATCH repos/o/r/issues/comments/3 -F body=@{report} --jq .html_url"
    )


def test_drift_opens_one_issue_takes_the_open_one_and_closes_it(github: Path):
    drifted = github / "drifted"
    drifted.mkdir()
    assert [line.split()[:2] for line in run("drift-issue.sh", str(drifted), folder=github)] == [["issue", "list"]]
    for stack in ("dev", "p3"):
        (drifted / f"{stack}.md").write_text(f"{marker(stack)}\n")
    asked = run("drift-issue.sh", str(drifted), folder=github)
    assert sum(line.startswith("issue create") for line in asked) == 1
    assert sum("POST repos/o/r/issues/77/comments" in line for line in asked) == 2
    (github / "issue").write_text("12\n")
    asked = run("drift-issue.sh", str(drifted), folder=github)
    assert sum(line.startswith("issue create") for line in asked) == 1
    assert sum("POST repos/o/r/issues/12/comments" in line for line in asked) == 2
    for report in drifted.iterdir():
        report.unlink()
    assert run("drift-issue.sh", str(drifted), folder=github)[-1].startswith("issue close 12")


@pytest.mark.full
@pytest.mark.parametrize(
    ("change", "concerned"),
    [
        ({"Pulumi.dev.yaml": "config: {aws:region: us-west-2, replicas: 2}"}, ["dev"]),
        ({"Pulumi.dev.yaml": "config: {replicas: none}"}, ["dev"]),
        ({"Pulumi.other.yaml": "config: {aws:region: us-west-2}"}, []),
        ({"docs/x.md": "words"}, []),
        ({"tests/test_x.py": "assert True"}, []),
        ({"gpu_slices/x.py": "A = 1"}, ["dev", "p3"]),
        ({"requirements.txt": "pulumi==9"}, ["dev", "p3"]),
    ],
)
def test_a_change_concerns_the_deployed_stacks_whose_file_or_program_it_edits(
    change: dict[str, str], concerned: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *arguments], check=True, capture_output=True, cwd=tmp_path)

    git("init", "-q")
    for stack in ("dev", "p3", "other"):
        (tmp_path / f"Pulumi.{stack}.yaml").write_text("config: {aws:region: us-west-2, replicas: 1}\n")
    git("add", ".")
    git("commit", "-qm", "one")
    for name, text in change.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    git("add", ".")
    git("commit", "-qm", "two")
    monkeypatch.setenv("PATH", f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("DEPLOYED", '["dev", "p3"]')
    done = subprocess.run(
        [SCRIPTS / "changed-stacks.sh", "HEAD^1"], check=True, cwd=tmp_path, capture_output=True, text=True
    )
    assert json.loads(done.stdout) == concerned


RENOVATE = json.loads((ROOT / "renovate.json").read_text())


def moved(path: Path) -> dict[str, str]:
    """Dependency → version that renovate's own patterns find in a file."""
    name = str(path.relative_to(ROOT))
    found = {}
    for manager in RENOVATE["customManagers"]:
        if any(re.search(pattern.strip("/"), name) for pattern in manager["managerFilePatterns"]):
            for pattern in manager["matchStrings"]:
                for match in re.finditer(pattern.replace("(?<", "(?P<"), path.read_text()):
                    groups = match.groupdict()
                    found[groups.get("depName") or manager["depNameTemplate"]] = groups["currentValue"]
    return found


def test_renovate_finds_every_pin_of_the_versions_file():
    found = moved(ROOT / "gpu_slices" / "versions.py")
    for name, pin in vars(versions).items():
        if isinstance(pin, ChartPin):
            assert any(dep.rpartition("/")[2] == pin.chart and pin.version == at for dep, at in found.items()), name
        if name.endswith("_IMAGE") and name != "TGI_IMAGE":
            image, _, tag = pin.rpartition(":")
            assert found[image] == tag
    assert f"al2023@{found['awslabs/amazon-eks-ami']}" == versions.AMI_ALIAS
    assert found["amazon-eks"] == versions.DEFAULT_KUBERNETES


def test_renovate_moves_the_engine_of_the_workflows():
    for path in WORKFLOWS:
        assert ("PULUMI_VERSION" in path.read_text()) == ("pulumi/pulumi" in moved(path))


def test_renovate_reads_every_list_of_python_packages():
    (pattern,) = RENOVATE["pip_requirements"]["managerFilePatterns"]
    for path in [*ROOT.glob("requirements*.txt"), ROOT / "engine" / "tool" / "requirements.txt"]:
        assert re.search(pattern.strip("/"), str(path.relative_to(ROOT)))
