"""The builder builds what changed and nothing else, and leaves what was there when it fails."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine import binary
from rehearsal.cluster import build as builder
from rehearsal.cluster.build import BuildError, build, stamp_of
from rehearsal.cluster.programs import ASSETS, TOOLS_TABLE, missing, pinned_version


@pytest.mark.parametrize("tool", TOOLS_TABLE, ids=lambda tool: tool.name)
def test_every_pin_is_an_exact_version_with_its_checksum(tool: builder.Tool) -> None:
    assert tool.version.startswith("v")
    assert f"{tool.module} {tool.version} h1:" in (tool.folder / "go.sum").read_text()


@pytest.mark.parametrize("asset", ASSETS, ids=lambda asset: asset.module)
def test_every_file_that_is_copied_comes_from_a_pinned_module(asset: builder.Asset) -> None:
    folder = builder.TOOLS / asset.tool
    assert f"{asset.module} {pinned_version(folder / 'go.mod', asset.module)} h1:" in (folder / "go.sum").read_text()


def test_karpenter_and_its_aws_definitions_are_of_one_version() -> None:
    core = pinned_version(builder.TOOLS / "karpenter" / "go.mod", "sigs.k8s.io/karpenter")
    aws = pinned_version(builder.TOOLS / "aws" / "go.mod", "github.com/aws/karpenter-provider-aws")
    assert core == aws


def test_a_changed_pin_changes_the_stamp(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("require a v1.0.0\n")
    before = stamp_of(tmp_path)
    assert stamp_of(tmp_path) == before
    assert stamp_of(tmp_path, flags=("-race",)) != before
    (tmp_path / "go.mod").write_text("require a v1.0.1\n")
    assert stamp_of(tmp_path) != before


def test_an_empty_folder_misses_every_program(tmp_path: Path) -> None:
    assert missing(tmp_path) == (
        "crds",
        "etcd",
        "karpenter",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kwok",
        "plugin-config",
        "stages",
    )


def test_without_go_the_error_says_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(_: object) -> Path:
        raise binary.NoEngine("no Go on PATH, none from PyPI")

    monkeypatch.setattr(binary, "find_go", absent)
    with pytest.raises(BuildError, match=r"needs Go: install Go 1\.26.* \(no Go on PATH"):
        build(lambda _: None)


def test_the_go_that_is_asked_for_is_the_newest_that_a_tool_needs() -> None:
    needed = [
        tuple(map(int, line.split()[1].split(".")))
        for tool in TOOLS_TABLE
        for line in (tool.folder / "go.mod").read_text().splitlines()
        if line.startswith("go ")
    ]
    assert max(needed) == tuple(map(int, builder.GO_VERSION.split(".")))


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A tool of three lines in place of the real ones; returns its source file."""
    if not shutil.which("go"):
        pytest.skip("needs go: install Go 1.26")
    folder = tmp_path / "tools" / "toy"
    folder.mkdir(parents=True)
    (folder / "go.mod").write_text("module toy\n\ngo 1.26\n\nrequire toy/pin v1.0.0\n\nreplace toy/pin => ./pin\n")
    (folder / "pin").mkdir()
    (folder / "pin" / "go.mod").write_text("module toy/pin\n")
    (folder / "main.go").write_text("package main\n\nfunc main() { println(1) }\n")
    tool = builder.Tool(name="toy", module="toy/pin", packages=(".",), programs=("toy",), minutes=0.1)
    monkeypatch.setattr("rehearsal.cluster.programs.TOOLS", tmp_path / "tools")
    monkeypatch.setattr(builder, "TOOLS_TABLE", (tool,))
    monkeypatch.setattr(builder, "ASSETS", ())
    return folder / "main.go"


def test_it_builds_once_and_again_after_a_change(toy: Path, tmp_path: Path) -> None:
    said: list[str] = []
    bin_folder = tmp_path / "bin"
    assert list(build(said.append, bin_folder=bin_folder)) == ["toy"]
    assert build(said.append, bin_folder=bin_folder) == {}
    assert said[-1] == "toy v1.0.0: there"
    toy.write_text("package main\n\nfunc main() { println(2) }\n")
    assert list(build(said.append, bin_folder=bin_folder)) == ["toy"]


def test_a_build_that_fails_says_why_and_leaves_the_old_program(toy: Path, tmp_path: Path) -> None:
    bin_folder = tmp_path / "bin"
    build(lambda _: None, bin_folder=bin_folder)
    before = (bin_folder / "toy").read_bytes()
    toy.write_text("package main\n\nfunc main() { nonsense }\n")
    with pytest.raises(BuildError, match="undefined: nonsense"):
        build(lambda _: None, bin_folder=bin_folder)
    assert (bin_folder / "toy").read_bytes() == before
    assert not list(bin_folder.glob(".building-*"))
