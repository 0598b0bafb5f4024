"""Finding and building the Pulumi CLI, with a pretended Go."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine import binary
from engine.binary import NoEngine

#: Answers `pulumi version` with the version that the linker flags ask for.
GOOD_GO = """#!/bin/sh
for argument; do
  case "$last" in -o) target=$argument ;; -ldflags) version=${argument##*=} ;; esac
  last=$argument
done
printf '#!/bin/sh\\necho %s\\n' "$version" > "$target"
chmod +x "$target"
"""
BAD_GO = """#!/bin/sh
echo 'go: download of a module failed' >&2
exit 1
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without an engine, whose PATH begins with this folder."""
    monkeypatch.setattr(binary, "BUILT", tmp_path / ".bin" / "pulumi")
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path), "/usr/bin", "/bin"]))
    return tmp_path


def put(file: Path, text: str) -> None:
    file.write_text(text)
    file.chmod(0o755)


def test_the_pinned_version_is_read_from_the_one_place_that_states_it():
    assert f"{binary.PACKAGE} {binary.pinned()} " in (binary.TOOL / "go.mod").read_text()


def test_a_build_is_found_afterwards_and_not_repeated(folder: Path):
    put(folder / "go", GOOD_GO)
    assert binary.find() is None
    said: list[str] = []
    built = binary.provide(said.append)
    assert built == binary.find() == folder / ".bin" / "pulumi"
    assert binary.version(built) == binary.pinned()
    assert said[-1].startswith(f"building pulumi {binary.pinned()}, once: done after ")
    put(folder / "go", BAD_GO)
    assert binary.provide(said.append) == built


def test_a_failed_build_says_why_and_what_to_do_and_leaves_nothing(folder: Path):
    put(folder / "go", BAD_GO)
    with pytest.raises(NoEngine) as failure:
        binary.provide(lambda _text: None)
    words = str(failure.value)
    assert "go: download of a module failed" in words
    assert f"put the Pulumi CLI {binary.pinned()}" in words
    assert "`make engine`" in words
    assert list((folder / ".bin").iterdir()) == []


@pytest.mark.parametrize(("version", "used"), [("v3.206.0", True), ("v4.0.0", True), ("v3.100.0", False), ("", False)])
def test_the_cli_on_path_is_used_when_it_is_new_enough(folder: Path, version: str, used: bool):
    put(folder / "pulumi", f"#!/bin/sh\necho {version}\n")
    assert (binary.find() == folder / "pulumi") is used


def test_an_engine_built_from_another_pin_is_built_again(folder: Path):
    (folder / ".bin").mkdir()
    put(folder / ".bin" / "pulumi", "#!/bin/sh\necho v3.1.0\n")
    assert binary.find() is None
