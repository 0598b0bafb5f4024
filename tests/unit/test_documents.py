"""README and CONTRIBUTING name files, stacks, targets and commands that exist."""

from __future__ import annotations

import re

import pytest

from gpu_slices.cli.main import COMMANDS
from tests.support.stacks import ROOT, STACKS

DOCUMENTS = ["README.md", "CONTRIBUTING.md"]
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))

pytestmark = pytest.mark.parametrize("document", DOCUMENTS)


def read(document: str) -> str:
    return (ROOT / document).read_text()


def code(document: str) -> list[str]:
    """What stands between backticks, and the lines of shell blocks."""
    text = read(document)
    blocks = [
        line.partition("#")[0]
        for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
        for line in block.split("\n")
    ]
    return [*re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)), *blocks]


def test_every_make_target_exists(document):
    named = {target for words in code(document) for target in re.findall(r"make ([a-z][a-z-]*)", words)}
    assert named
    assert named <= TARGETS


def test_every_file_and_folder_exists(document):
    here = [
        words for words in code(document) if re.fullmatch(r"[\w.]+(/[\w.-]*)+|[\w-]+\.(py|md|json|yaml|txt)", words)
    ]
    beside = {
        "checks.py": "gpu_slices/settings",
        "gpu_platform.py": "components",
        "gpus.json": "gpu_slices/catalogue",
        "platform_parts.py": "components",
    }
    assert here
    missing = [path for path in here if not (ROOT / beside.get(path, "") / path).exists()]
    assert [path for path in missing if path not in ("rendered/", "kubeconfig")] == []


def test_every_link_leads_somewhere(document):
    links = [link for link in re.findall(r"\]\(([^)]+)\)", read(document)) if not link.startswith("https://")]
    assert all((ROOT / link).exists() for link in links)


def test_every_command_and_stack_exists(document):
    commands = {command.name for command in COMMANDS}
    for words in code(document):
        assert set(re.findall(r"gpu_slices ([a-z][a-z-]*)", words)) <= commands
        assert set(re.findall(r"(?:--stack |STACK=|stack init )(\w+)", words)) <= {*STACKS, "NAME"}
