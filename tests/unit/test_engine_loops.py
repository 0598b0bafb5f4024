"""What an inline program leaves behind when the engine stops it is ended, whatever it is."""

from __future__ import annotations

import asyncio

import pytest

from engine.loops import close_loop


@pytest.mark.parametrize("tasks", [0, 2])
def test_a_loop_that_the_sdk_left_is_closed_with_all_its_tasks(tasks: int):
    """Another loop is the current one meanwhile, as in a program that runs several operations."""
    loop = asyncio.new_event_loop()
    waiting = [loop.create_task(asyncio.sleep(3600)) for _ in range(tasks)]
    close_loop(loop)
    assert loop.is_closed()
    assert all(task.cancelled() for task in waiting)


def test_without_a_loop_there_is_nothing_to_close():
    close_loop(None)


def test_a_loop_that_was_told_to_stop_still_ends_its_tasks():
    """As a program leaves it that was asking the engine something when the engine went."""
    loop = asyncio.new_event_loop()
    task = loop.create_task(asyncio.sleep(60))
    loop.run_until_complete(asyncio.sleep(0))
    loop.stop()
    close_loop(loop)
    assert task.cancelled()
    assert loop.is_closed()
