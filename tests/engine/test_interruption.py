"""Ctrl-C: the engine stops, nothing keeps running, and the next run carries on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.small_program import write_project

pytestmark = [pytest.mark.engine, pytest.mark.full]

ROOT = Path(__file__).resolve().parents[2]
#: The cloud hangs while this holds the account; the engine must wait for what it has begun.
HOLD_SECONDS = 3

SCRIPT = f"""
import sqlite3, sys, threading, time
from pathlib import Path
from rehearsal.stage import stage
from tests.support.small_program import CONFIG, small_program

def hang(file, held):
    db = sqlite3.connect(file, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    held.set()
    time.sleep({HOLD_SECONDS})
    db.execute("ROLLBACK")
    db.close()

with stage("test", project_folder=Path(sys.argv[1]), program=small_program, config=CONFIG) as staged:
    held = threading.Event()
    threading.Thread(target=hang, args=(staged.folder.parent / "account.sqlite", held), daemon=True).start()
    held.wait()
    print(staged.folder.parent, flush=True)
    try:
        staged.up()
    except KeyboardInterrupt:
        before = len(staged.resources())
        after = before + len(staged.up().changes)
        print("interrupted at", before, "of", after, flush=True)
"""


def processes_of(folder: str) -> list[str]:
    """The command lines that name a folder."""
    listing = subprocess.run(["ps", "-axo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listing.splitlines() if folder in line]


def wait_for_engine(folder: str) -> None:
    """Until the engine has started its plugins, whose wrappers lie in the folder."""
    environment = Path("/proc")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for process in environment.glob("[0-9]*/environ"):
            try:
                if (
                    folder.encode() in process.read_bytes()
                    and b"plugin.py" in (process.parent / "cmdline").read_bytes()
                ):
                    return
            except OSError:
                continue
        time.sleep(0.1)
    raise AssertionError("the engine did not start a plugin")


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks into /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_up_leaves_no_process_and_no_lock(tmp_path: Path, number: signal.Signals):
    project = write_project(tmp_path / "project")
    argv = [sys.executable, "-W", "ignore", "-c", SCRIPT, str(project)]
    run = subprocess.Popen(
        argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert run.stdout is not None
        folder = run.stdout.readline().strip()
        wait_for_engine(folder)
        os.kill(run.pid, number)
        output, errors = run.communicate(timeout=90)
    finally:
        run.kill()
        run.wait()
    words = output.split()
    assert words[:2] == ["interrupted", "at"], errors
    assert int(words[2]) < int(words[4])
    assert errors == ""
    assert not Path(folder).exists()
    assert processes_of(folder) == []
