"""The pages for users of slices and for readers of the guides name commands, keys, stacks and files that exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from gpu_slices.cli.main import COMMANDS, main
from gpu_slices.outputs import pod_snippet
from gpu_slices.settings import parse
from gpu_slices.settings.schema import json_schema, known_keys
from gpu_slices.settings.stack_file import read_stack_file
from gpu_slices.workloads.catalogue import SAMPLES
from tests.support.stacks import ROOT, STACKS, plan_of_stack

PAGES = ["using-slices.md", "tenants.md", "from-the-guides.md"]
pytestmark = pytest.mark.parametrize("page", PAGES)

#: What stands between backticks and looks like a key of ours, but is another program's.
FOREIGN = {
    "allocatable", "allocations", "audit", "aws", "baseline", "deny", "edit", "kubectl", "limits", "nodeGroups", "resource", "restricted", "sliceSize", "warn",
    "config.json", "devicePlugin.config.name",
}  # fmt: skip
_KEY = re.compile(r"[a-z][A-Za-z]*(\.[A-Za-z0-9-]+)*")


def text(page: str) -> str:
    return (ROOT / "docs" / page).read_text()


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text(page), re.DOTALL)


def inline(page: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text(page), flags=re.DOTALL))


def commands(page: str) -> Iterator[list[str]]:
    """Every command line of ours, inline or in a block, as words."""
    lines = [line.partition("#")[0] for block in blocks(page, "sh") for line in block.split("\n")]
    for words in (*inline(page), *lines):
        found = re.search(r"python -m gpu_slices (.+)", words)
        if found:
            yield found[1].split()


def is_key(path: str) -> bool:
    """Whether a path of the stack file can be; a part below a map (pool, tenant) is anybody's name."""
    parts = path.split(".")
    return all(
        part in known_keys(parts[:index]) or (not known_keys(parts[:index]) and index > 0)
        for index, part in enumerate(parts)
    )


def test_every_command_is_one_with_these_options(page, capsys):
    own = {command.name: command for command in COMMANDS}
    for name, *words in commands(page):
        assert name in own
        with pytest.raises(SystemExit):
            main([name, "--help"])
        options = [word for word in words if word.startswith("--")]
        shown = capsys.readouterr().out
        assert [option for option in options if not re.search(rf"{option}\b", shown)] == []


def test_every_stack_that_a_command_names_ships(page):
    named = [words[words.index("--stack") + 1] for words in commands(page) if "--stack" in words]
    assert set(named) <= set(STACKS)
    assert named


def test_every_key_exists(page):
    candidates = {words for words in inline(page) if _KEY.fullmatch(words)}
    known = {command.name for command in COMMANDS} | set(SAMPLES) | set(STACKS) | FOREIGN
    names = {word for stack in STACKS for word in pool_names(stack)} | known
    leaves = set(all_keys(json_schema()))
    wrong = [words for words in sorted(candidates - names - outputs()) if not is_key(words) and words not in leaves]
    assert wrong == []


def test_every_key_of_a_pool_or_tenant_by_name_is_in_a_stack_that_ships(page):
    """`gpuNodeGroups.l40s` of a page can be looked up."""
    shipped = [read_stack_file(ROOT / f"Pulumi.{stack}.yaml").raw for stack in STACKS]
    for words in inline(page):
        found = re.fullmatch(r"(gpuNodeGroups|gpuNodePools|nodePools|tenants)\.([a-z0-9-]+)(\..+)?", words)
        if found and found[2] not in ("NAME", "NAMESPACE"):
            assert any(found[2] in raw.get(found[1], {}) for raw in shipped), words


def test_every_setting_that_a_command_sets_is_accepted(page):
    for words in commands(page):
        for setting in [words[index + 1] for index, word in enumerate(words) if word == "--set"]:
            assert is_key(setting.partition("=")[0])


def test_every_link_leads_somewhere(page):
    for link in re.findall(r"\]\(([^)]+)\)", text(page)):
        path, _, anchor = link.partition("#")
        linked = ROOT / "docs" / path
        assert linked.exists(), link
        headings = re.findall(r"^#+ (.+)$", linked.read_text(), re.MULTILINE)
        assert not anchor or anchor in {_anchor(heading) for heading in headings}, link


def test_every_make_target_exists(page):
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {name for words in inline(page) for name in re.findall(r"^make ([a-z-]+)", words)} <= targets


def test_every_block_of_settings_is_valid_in_the_dev_stack(page):
    for block in blocks(page, "yaml"):
        content = yaml.safe_load(block)
        if "kind" in content:
            pool = plan_of_stack("dev").pools[0]
            assert content == yaml.safe_load(pod_snippet(pool)), "the page's pod is the pool's snippet"
        else:
            raw = read_stack_file(ROOT / "Pulumi.dev.yaml").raw
            parse({**raw, **{key.partition(":")[2]: value for key, value in content.items()}}, stack="dev")


def pool_names(stack: str) -> Iterator[str]:
    plan = plan_of_stack(stack)
    yield from (pool.name for pool in plan.pools)
    yield from (tenant.name for tenant in plan.tenants)


def outputs() -> set[str]:
    """Names in the stack's output `pools`, as a page shows them."""
    return {"podSnippet", "pools.NAME.podSnippet", "gpuMemoryMiBPerSlice", "resources"}


def all_keys(node: Any) -> Iterator[str]:
    """Every key's own name, wherever it stands in the settings."""
    if isinstance(node, dict):
        yield from node.get("properties", {})
        for inner in node.values():
            yield from all_keys(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from all_keys(inner)


def _anchor(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
