"""Targets that misbehave: the run ends in bounded time, the record says what happened, no figure comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from gpu_slices.bench.client.plan import Load, Run, Target
from gpu_slices.bench.client.record import run_once
from gpu_slices.bench.metrics import run_figures

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
TOKENS = 5
#: A run that does not bound itself waits for ever; a busy machine may hold up one that does.
PATIENCE_SECONDS = 20.0


def event(number: int) -> bytes:
    return b'data: {"choices":[{"text":"w"}],"usage":{"completion_tokens":%d,"prompt_tokens":3}}\n\n' % number


async def write(writer: asyncio.StreamWriter, *parts: bytes) -> None:
    for part in parts:
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0.005)


async def well(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    await write(writer, HEAD, *(event(number + 1) for number in range(TOKENS)), b"data: [DONE]\n\n")


async def stalling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    await write(writer, HEAD, event(1))
    while True:  # the connection is alive, the engine is not
        await asyncio.sleep(0.1)
        await write(writer, b": still here\n\n")


async def broken_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    await write(writer, HEAD, event(1), event(2))


async def malformed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    await write(writer, HEAD, b"data: <html>bad gateway</html>\n\n", b"data: [DONE]\n\n")


async def overloaded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    await write(writer, b'HTTP/1.1 503 No\r\nContent-Length: 22\r\n\r\n{"error":"not loaded"}')
    await asyncio.sleep(5)  # does not close


async def too_short(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    await write(writer, HEAD, event(1), event(2), b"data: [DONE]\n\n")


async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    await asyncio.sleep(60)


class Servers:
    """Loopback servers with given behaviours, closed at the end together with what they still hold open."""

    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[Any]] = set()
        self.servers: list[asyncio.Server] = []

    async def start(self, name: str, handler: Handler) -> Target:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self.tasks.add(task)
            try:
                await handler(reader, writer)
            except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        self.servers.append(server)
        port = server.sockets[0].getsockname()[1]
        return Target(name=name, host="127.0.0.1", port=port, path="/v1/completions", model=name)

    async def close(self) -> None:
        for server in self.servers:
            server.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


def measure(handlers: dict[str, Handler], *, dies_after: float | None = None, kind: str = "closed") -> dict[str, Any]:
    """One short run against the servers; the last one is shut down after `dies_after` seconds."""

    async def body() -> dict[str, Any]:
        servers = Servers()
        targets = {name: await servers.start(name, handler) for name, handler in handlers.items()}
        run = Run(
            condition="shared",
            drive=tuple(targets),
            load=Load(kind="open", level=20) if kind == "open" else Load(kind="closed", level=2),
            output_tokens=TOKENS,
            prompt_words=4,
            warmup_s=0.1,
            window_s=0.8,
            drain_s=0.8,
            stall_s=0.4,
        )
        if dies_after is not None:
            asyncio.get_running_loop().call_later(dies_after, servers.servers[-1].close)
        record = await asyncio.wait_for(run_once(run, 0, targets, seed=1), run.limit_s + PATIENCE_SECONDS)
        await servers.close()
        return record

    return asyncio.run(body())


@pytest.mark.parametrize("kind", ["closed", "open"])
def test_sound_targets_give_a_sound_run(kind: str):
    record = measure({"a": well, "b": well}, kind=kind)
    assert (record["status"], record["problems"]) == ("ok", [])
    assert all(figures.tokens > 0 for figures in run_figures(record).targets.values())


@pytest.mark.full
@pytest.mark.parametrize("kind", ["closed", "open"])
@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (stalling, "stalled: no token for 0.4 s"),
        (mute, "stalled: no token for 0.4 s"),
        (broken_off, "broke off after 2 tokens"),
        (malformed, "not JSON"),
        (overloaded, "503"),
        (too_short, "not as long as asked"),
    ],
)
def test_a_misbehaving_neighbour_fails_the_run_by_name_and_reason(behaviour: Handler, words: str, kind: str):
    record = measure({"good": well, "bad": behaviour}, kind=kind)
    assert record["status"] == "failed"
    assert any(problem.startswith("bad:") and words in problem for problem in record["problems"]), record["problems"]
    assert not any(problem.startswith("good:") and "failed" in problem for problem in record["problems"])
    with pytest.raises(ValueError, match="failed"):
        run_figures(record)


def test_a_target_that_refuses_ends_the_run_early():
    record = measure({"good": well, "gone": well}, dies_after=0.0)
    assert record["status"] == "failed"
    assert any(problem.startswith("gone: gave up after 5 failures in a row") for problem in record["problems"])


def test_a_target_that_dies_in_mid_run_fails_it():
    record = measure({"good": well, "dying": well}, dies_after=0.4)
    assert record["status"] == "failed"
    assert any("dying" in problem and "no connection" in problem for problem in record["problems"])


def test_a_name_that_does_not_resolve_is_said():
    target = Target(name="a", host="no-such-host.invalid", port=1, path="/", model="a")
    run = Run(condition="x", drive=("a",), load=Load(kind="closed", level=1), window_s=0.2, warmup_s=0.1)
    record = asyncio.run(run_once(run, 0, {"a": target}, seed=1))
    assert record["status"] == "failed"
    assert any("cannot resolve" in problem for problem in record["problems"])
