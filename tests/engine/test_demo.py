"""`make demo` as a person runs it: in a process of its own, to the end, and interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

pytestmark = pytest.mark.engine

ROOT = Path(__file__).resolve().parents[2]
MARK = "GPU_SLICES_TEST_RUN"


def start(tmp: Path, *options: str) -> subprocess.Popen[str]:
    """The demo in a process group of its own, as a shell starts it; its temporary files lie in `tmp`."""
    environment = {**os.environ, "TMPDIR": str(tmp), MARK: str(tmp), "PYTHONWARNINGS": "ignore"}
    argv = [sys.executable, "-m", "rehearsal.demo", *options]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        argv, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    )


def processes_of(tmp: Path) -> list[str]:
    """Command lines of what the demo in `tmp` has started and not ended, its engine and providers included."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={tmp}".encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


@pytest.fixture
def tmp(tmp_path: Path) -> Path:
    folder = tmp_path / uuid.uuid4().hex
    folder.mkdir()
    return folder


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks into /proc")
def test_ctrl_c_during_up_is_one_line_and_leaves_no_process_and_no_file(tmp: Path):
    demo = start(tmp, "--stack", "p3")
    assert demo.stdout is not None
    try:
        for line in demo.stdout:
            if line.startswith("up …"):
                break
        assert processes_of(tmp) != []
        os.killpg(demo.pid, signal.SIGINT)
        _, errors = demo.communicate(timeout=90)
    finally:
        demo.kill()
        demo.wait()
    assert demo.returncode == 130
    assert errors.splitlines() == ["stopped during up; nothing is left: what was pretended is gone"]
    assert processes_of(tmp) == []
    assert list(tmp.iterdir()) == []


@pytest.mark.full
def test_a_whole_demo_keeps_its_promises_and_tells_them(tmp: Path):
    demo = start(tmp, "--stack", "dev", "--format", "json")
    output, told = demo.communicate(timeout=300)
    assert demo.returncode == 0, told
    story = json.loads(output)
    assert [step["name"] for step in story["steps"]] == [
        "preview",
        "up",
        "preview of the edit",
        "up with the edit",
        "destroy",
    ]
    assert all(step["seconds"] > 0 for step in story["steps"])
    assert (story["edit"]["path"], story["edit"]["before"], story["edit"]["after"]) == ("replicas", 10, 4)
    assert story["diff"]["lines"][0] == {
        "subject": "the plugin's config of pool l40s",
        "path": "replicas",
        "old": 10,
        "new": 4,
    }
    assert (story["diff"]["created"], story["diff"]["deleted"]) == ({"ConfigMap": 1}, {"ConfigMap": 1})
    assert story["diff"]["replaced"] == []
    assert story["promises"]
    assert all(promise["broken_by"] == [] for promise in story["promises"])
    assert story["left"] == {"state": [], "account": []}
    assert story["outputs"]["kubeconfig"] == "[secret]"
    assert "aws, eks and kubernetes are stand-ins on this machine" in told
    assert "the plugin's config of pool l40s: replicas 10 → 4" in told
    assert told.rstrip().endswith("0 resources left (state: 0, account: 0)")
    assert list(tmp.iterdir()) == []
