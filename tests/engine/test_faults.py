"""The cloud fails in the middle: the next run carries on, and ends where an undisturbed one does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from engine import EngineError, Operation
from gpu_slices.settings import read_stack_file
from rehearsal.demo.slice_edit import choose_edit
from rehearsal.faults import Fault, Faults
from rehearsal.stage import Stage, stage
from tests.support.deployments import comparable
from tests.support.stacks import plan_of_stack

pytestmark = [
    pytest.mark.engine,
    pytest.mark.full,
    # A program whose engine has ended under it leaves its connections to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

ROOT = Path(__file__).resolve().parents[2]
#: Under the operator and under the stand-alone plugin, without and with Karpenter.
STACKS = ("dev", "karpenter")
#: Every how manieth resource fails.
STEP = 10


@cache
def undisturbed(stack: str) -> tuple[int, dict[str, Any]]:
    """How many resources the providers make of a stack, and the state after an up without faults."""
    with stage(stack) as played:
        played.faults.plan()
        played.up()
        return played.faults.asked("create"), comparable(played.resources())


def fails(run: Callable[[], Operation]) -> None:
    with pytest.raises(EngineError, match="the rehearsal was told to fail"):
        run()


def failed(run: Callable[[], Operation]) -> bool:
    """Whether a run met a planned fault; any other failure is raised."""
    try:
        run()
    except EngineError as failure:
        if "the rehearsal was told to fail" not in str(failure):
            raise
        return True
    return False


def assert_gone(played: Stage) -> None:
    played.destroy()
    assert played.left() == ()


@pytest.mark.parametrize("stack", STACKS)
def test_an_up_that_failed_at_any_tenth_resource_ends_where_an_undisturbed_one_does(stack: str):
    many, expected = undisturbed(stack)
    assert many > 2 * STEP
    for at in range(STEP, many + 1, STEP):
        with stage(stack) as played:
            played.faults.plan(Fault(operation="create", at=at))
            fails(played.up)
            assert 0 < len(played.resources()) < len(expected)
            played.up()
            assert comparable(played.resources()) == expected, f"after a failure at {at}"
            assert_gone(played)


@pytest.mark.parametrize("stack", [*STACKS, "cost"])
def test_an_up_and_a_destroy_that_fail_again_and_again_get_through_in_the_end(stack: str):
    """Each run gets ten operations further; a run that did not would never end."""
    many, expected = undisturbed(stack)
    with stage(stack) as played:
        for operation, run in (("create", played.up), ("delete", played.destroy)):
            failures = 0
            while failures <= many // STEP:
                played.faults.plan(Fault(operation=operation, at=STEP))
                if not failed(run):
                    break
                failures += 1
            assert failures >= many // (2 * STEP)
            assert comparable(played.resources()) == (expected if operation == "create" else {})
        assert played.left() == ()


@pytest.mark.parametrize("stack", STACKS)
def test_a_slice_edit_that_failed_at_any_step_ends_where_an_undisturbed_one_does(stack: str):
    """Forth and back on one stack: each step of the edit fails once, and the next up finishes it."""
    plan = plan_of_stack(stack)
    with stage(stack) as played:
        edit = choose_edit(plan, read_stack_file(played.folder / f"Pulumi.{stack}.yaml").raw)
        assert edit is not None
        played.up()
        played.edit(edit.path, edit.after)
        played.faults.plan()
        played.up()
        steps = {operation: played.faults.asked(operation) for operation in ("create", "update", "delete")}
        expected = settings_in_force(played)
        for operation, many in steps.items():
            for at in range(1, many + 1):
                played.faults.plan()
                played.edit(edit.path, edit.before)
                played.up()
                assert settings_in_force(played) != expected
                played.edit(edit.path, edit.after)
                played.faults.plan(Fault(operation=operation, at=at))
                fails(played.up)
                played.up()
                assert settings_in_force(played) == expected
        assert_gone(played)


def settings_in_force(played: Stage) -> dict[str, Any]:
    """Inputs of everything in the state; how often an object was changed before, which its outputs count, left out."""
    return {urn: one.get("inputs") for urn, one in comparable(played.resources()).items()}


SCRIPT = """
import sys
from engine import EngineError, Operation
from rehearsal.faults import Fault
from rehearsal.stage import stage

def clear_away_what_the_state_does_not_know(played):
    exported = played.export()
    known = {resource["urn"] for resource in exported["resources"]}
    pending = {one["resource"]["urn"] for one in exported.get("pending_operations") or ()}
    for item in played.account.all():
        if item.urn and item.urn not in known:
            assert item.urn in pending, item.urn
            played.account.remove(item.type, item.id)

stack, kind, at = sys.argv[1], sys.argv[2], int(sys.argv[3])
with stage(stack) as played:
    if kind == "destroy":
        played.up()
    run = getattr(played, kind)
    operation = {"up": "create", "destroy": "delete"}[kind]
    played.faults.plan(Fault(operation=operation, at=at, seconds=3))
    print(played.folder.parent, flush=True)
    try:
        run()
        print("finished", flush=True)
    except (KeyboardInterrupt, EngineError) as stopped:
        played.faults.plan()
        print(type(stopped).__name__, "with", len(played.resources()), flush=True)
        if isinstance(stopped, EngineError):
            played.cancel()
            clear_away_what_the_state_does_not_know(played)
        if kind == "up":
            print("made", len(played.up().changes), flush=True)
        played.destroy()
    print("left", len(played.left()), flush=True)
"""


def engine_of(folder: str, word: str) -> int:
    """The process id of the engine that runs an operation in the folder."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            engine = Path(words[0].decode()).name == "pulumi" and word.encode() in words
            if engine and folder.encode() in (process / "environ").read_bytes():
                return int(process.name)
        except OSError:
            continue
    raise AssertionError(f"no engine runs {word} in {folder}")


def stopped_in_the_middle(kind: str, at: int, stop: str, stack: str = "dev") -> list[str]:
    """Runs a stack, stops it while a slow operation runs (us or the engine), carries on: the words it said."""
    run = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, stack, kind, str(at)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert run.stdout is not None
        folder = run.stdout.readline().strip()
        faults = Faults(Path(folder) / "faults.sqlite")
        deadline = time.monotonic() + 60
        while not faults.struck():
            assert time.monotonic() < deadline, "the slow operation was never reached"
            time.sleep(0.1)
        if stop == "Ctrl-C":
            os.kill(run.pid, signal.SIGINT)
        else:
            os.kill(engine_of(folder, kind), signal.SIGKILL)
        output, errors = run.communicate(timeout=120)
    finally:
        run.kill()
        run.wait()
    assert errors == ""
    return output.split("\n")


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks into /proc")
@pytest.mark.parametrize(("stop", "word"), [("Ctrl-C", "KeyboardInterrupt"), ("kill", "EngineError")])
@pytest.mark.parametrize("at", [15, 40])
def test_a_destroy_that_was_stopped_in_the_middle_resumes_and_leaves_nothing(at: int, stop: str, word: str):
    """After a killed engine `pulumi cancel` releases the lock, as docs/operations.md says."""
    stopped, left, _ = stopped_in_the_middle("destroy", at, stop)
    _, whole = undisturbed("dev")
    assert stopped.startswith(f"{word} with ")
    assert 0 < int(stopped.split()[-1]) < len(whole)
    assert left == "left 0"


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks into /proc")
@pytest.mark.parametrize(("stop", "word"), [("Ctrl-C", "KeyboardInterrupt"), ("kill", "EngineError")])
def test_an_up_that_was_stopped_in_the_middle_carries_on_and_goes_without_a_trace(stop: str, word: str):
    """What a killed engine had made without recording it, the state names as pending: docs/operations.md says what to do."""
    stopped, made, left, _ = stopped_in_the_middle("up", 25, stop)
    assert stopped.startswith(f"{word} with ")
    assert int(made.split()[-1]) > 0
    assert left == "left 0"
