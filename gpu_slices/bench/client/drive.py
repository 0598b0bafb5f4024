"""The load of one run: all driven targets on one clock, through warm-up, window and drain."""

from __future__ import annotations

import asyncio
import random
import socket
from collections import Counter
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from math import ceil
from time import monotonic
from typing import Any

from .plan import Run, Target
from .stream import Exchange, Reply, request_bytes

GIVE_UP_AFTER = 5  # failures in a row of one target end the run
WATCH_S = 0.1
WORDS = (
    *("time", "year", "people", "way", "day", "man", "thing", "woman", "life", "child", "world", "school", "state"),
    *("family", "student", "group", "country", "problem", "hand", "part", "place", "case", "week", "company", "system"),
    *("program", "question", "work", "number", "night", "point", "home", "water", "room", "mother", "area", "money"),
    *("story", "fact", "month", "lot", "right", "study", "book", "eye", "job", "word", "business", "issue", "side"),
    *("kind", "head", "house", "service", "friend", "father", "power", "hour", "game", "line", "end", "member", "law"),
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One request: when it was due, started by the client, and what the server sent. Seconds of the client's clock."""

    id: str
    target: str
    asked: int
    scheduled: float
    started: float
    reply: Reply
    cut: bool


def prompt_of(identity: str, words: int, seed: int) -> str:
    """A prompt that no other request shares a first word with, so that no prefix cache helps. Same seed, same text."""
    chooser = random.Random(f"{seed}/{identity}")
    return " ".join([identity, *chooser.choices(WORDS, k=words - 1)])


def request_of(target: Target, prompt: str, output_tokens: int) -> bytes:
    """The whole HTTP request: greedy, streamed, with usage, and not to be ended by an end-of-text token."""
    body: dict[str, Any] = {
        "model": target.model,
        "prompt": prompt,
        "max_tokens": output_tokens,
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True, "continuous_usage_stats": True},
        "ignore_eos": True,
        **target.body,
    }
    return request_bytes(f"{target.host}:{target.port}", target.path, body)


def arrival_times(seed: int, repeat: int, target: str, rate: float, start: float) -> Iterator[float]:
    """Poisson arrivals at `rate` per second from `start` on, without end. The same run offers the same arrivals."""
    chooser = random.Random(f"{seed}/{repeat}/{target}/arrivals")
    due = start
    while True:
        due += chooser.expovariate(rate)
        yield due


async def resolve(target: Target) -> tuple[str, int]:
    """The target's address, looked up once so that no request waits for DNS. OSError when there is none."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    return str(found[0][4][0]), target.port


class Driver:
    """The state of one run: requests in flight, rows of ended ones, and why it stopped early, if it did."""

    def __init__(self, run: Run, index: int, targets: dict[str, Target], seed: int) -> None:
        self.run, self.index, self.seed = run, index, seed
        self.targets = [targets[name] for name in run.drive]
        self.addresses: dict[str, tuple[str, int]] = {}
        self.rows: list[Row] = []
        self.problems: list[str] = []
        self.stopping = asyncio.Event()
        self.pending: Counter[str] = Counter()  # ids scheduled inside the window and not yet ended
        self.lags: list[float] = []
        self._flying: set[Exchange] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._sent: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self.zero = 0.0

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Start work that the run waits for at its end."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def in_window(self, time: float) -> bool:
        """Whether a time on the clock lies in the measured window."""
        return 0.0 <= time - self.zero < self.run.window_s

    async def request(self, target: Target, scheduled: float, asked: int) -> Reply:
        """Send one request and keep its row, however it ends."""
        self._sent[target.name] += 1
        identity = f"{self.index}.{target.name}.{self._sent[target.name]}"
        prompt = prompt_of(identity, self.run.prompt_words, self.seed)
        exchange = Exchange(self.addresses[target.name], request_of(target, prompt, asked))
        self._flying.add(exchange)
        self.pending[identity] += self.in_window(scheduled)
        started = monotonic()
        reply = await exchange.run()
        self._flying.discard(exchange)
        cut = reply.error == "cut"
        row = Row(
            id=identity, target=target.name, asked=asked, scheduled=scheduled, started=started, reply=reply, cut=cut
        )
        self.rows.append(row)
        del self.pending[identity]
        self._count(target, reply)
        return reply

    def _count(self, target: Target, reply: Reply) -> None:
        if reply.error is None or self.stopping.is_set():
            self._failures[target.name] = 0
            return
        self._failures[target.name] += 1
        if self._failures[target.name] >= GIVE_UP_AFTER:
            self.problems.append(f"{target.name}: gave up after {GIVE_UP_AFTER} failures in a row: {reply.error}")
            self.stopping.set()

    async def closed_stream(self, target: Target, first: int) -> None:
        """One request after the other; the first asks for `first` tokens, so that streams do not march in step."""
        asked = first
        while not self.stopping.is_set():
            reply = await self.request(target, monotonic(), asked)
            asked = self.run.output_tokens
            if reply.error is not None:
                await asyncio.sleep(WATCH_S)

    async def open_arrivals(self, target: Target, start: float) -> None:
        """Send requests when they are due, whether or not earlier ones have ended."""
        for due in arrival_times(self.seed, self.run.repeat, target.name, self.run.load.level, start):
            await asyncio.sleep(max(0.0, due - monotonic()))
            if self.stopping.is_set():
                return
            self.spawn(self._one(target, due))

    async def _one(self, target: Target, due: float) -> None:
        await self.request(target, due, self.run.output_tokens)

    async def watch(self) -> None:
        """End streams that stall; note how late the event loop runs."""
        while True:
            due = monotonic() + WATCH_S
            await asyncio.sleep(WATCH_S)
            self.lags.append(monotonic() - due)
            for exchange in list(self._flying):
                if exchange.idle_s() > self.run.stall_s:
                    exchange.cut(f"stalled: no token for {self.run.stall_s:g} s")

    def start_load(self, start: float) -> None:
        """Begin all targets' load at once."""
        for target in self.targets:
            if self.run.load.kind == "open":
                self.spawn(self.open_arrivals(target, start))
                continue
            streams = int(self.run.load.level)
            shift = random.Random(f"{self.seed}/{self.run.repeat}/{target.name}/phase").random()
            for stream in range(streams):
                self.spawn(self.closed_stream(target, ceil(self.run.output_tokens * (stream + shift) / streams) or 1))

    async def sleep_until(self, time: float) -> None:
        """Sleep to a point of the clock, or until the run is stopped."""
        try:
            await asyncio.wait_for(self.stopping.wait(), max(0.0, time - monotonic()))
        except TimeoutError:
            return

    async def drive(self) -> None:
        """Warm up, hold the load through the window, and on until the window's requests have ended or the drain has."""
        for target in self.targets:
            self.addresses[target.name] = await resolve(target)
        start = monotonic()
        self.zero = start + self.run.warmup_s
        watcher = asyncio.create_task(self.watch())
        self.start_load(start)
        end = self.zero + self.run.window_s
        await self.sleep_until(end)
        while not self.stopping.is_set() and +self.pending and monotonic() < end + self.run.drain_s:
            await asyncio.sleep(0.01)
        self.stopping.set()
        watcher.cancel()
        for exchange in list(self._flying):
            exchange.cut("cut")
        await asyncio.wait(self._tasks, timeout=1.0) if self._tasks else None
        for task in list(self._tasks):
            task.cancel()
