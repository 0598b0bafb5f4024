"""docs/monitoring.md names keys, commands, files and sections that exist."""

from __future__ import annotations

import re

import yaml

from gpu_slices.cli.main import COMMANDS
from gpu_slices.monitoring.dashboards import DASHBOARDS
from gpu_slices.settings import parse
from gpu_slices.settings.schema import known_keys
from tests.support.stacks import ROOT

PAGE = (ROOT / "docs" / "monitoring.md").read_text()


def test_every_key_exists():
    named = re.findall(r"`((?:monitoring|budget|cluster|prices)\.[A-Za-z.]+)(?::[^`]*)?`", PAGE)
    assert len(named) > 5
    for path in named:
        *parents, key = path.split(".")
        assert key in known_keys(parents), path


def test_every_example_is_a_stack_that_is_accepted():
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert blocks
    for block in blocks:
        raw = {key.removeprefix("gpu-slices:"): value for key, value in yaml.safe_load(block).items()}
        assert parse({"aws:region": "us-west-2", **raw}, stack="test").monitoring.enabled


def test_every_command_exists():
    assert set(re.findall(r"python -m gpu_slices (\w+)", PAGE)) <= {command.name for command in COMMANDS}


def test_every_link_and_its_section_exist():
    for target in re.findall(r"\]\((?!https)([^)]+)\)", PAGE):
        file, _, section = target.partition("#")
        text = (ROOT / "docs" / file).read_text() if file else PAGE
        sections = {head.lower().replace(" ", "-") for head in re.findall(r"(?m)^##+ (.+)$", text)}
        assert not section or section in sections, target


def test_every_file_exists():
    for path in re.findall(r"`(gpu_slices/[\w/.]+)`", PAGE):
        assert (ROOT / path).exists(), path


def test_every_panel_that_it_names_is_on_a_dashboard():
    titles = {panel.title for board in DASHBOARDS for panel in board.panels}
    assert {"GPU busy", "Karpenter's limits used"} <= titles
    assert all(title in titles for title in re.findall(r"panel \*([^*]+)\*", " ".join(PAGE.split())))
