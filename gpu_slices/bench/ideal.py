"""Ideal processor sharing: a GPU that gives each of k busy models exactly 1/k of itself and loses nothing by switching.

Every measurement is shown beside this line, so that contention (which no scheduler can avoid) and overhead (what
time-slicing adds to it) are told apart.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise


def saturated_slowdown(models: int, busy: float = 1.0) -> float:
    """Latency over exclusive latency for equal models under full load that keep the GPU busy that share of the time."""
    return max(1.0, models * busy)


def completion_times(works: Sequence[float]) -> list[float]:
    """When jobs that all start at 0 end, if the k unfinished ones progress at rate 1/k. Same unit as `works`."""
    order = sorted(range(len(works)), key=lambda job: works[job])
    ends = [0.0] * len(works)
    now = 0.0
    previous = 0.0
    for place, job in enumerate(order):
        now += (works[job] - previous) * (len(works) - place)
        previous = works[job]
        ends[job] = now
    return ends


@dataclass(frozen=True, kw_only=True)
class Service:
    """What a model server needs of an unshared GPU: seconds per prefill, and per decode step by batch size."""

    prefill_s: float
    steps: tuple[tuple[int, float], ...]
    max_batch: int
    output_tokens: int

    def step_s(self, batch: int) -> float:
        """Seconds of one decode step: linear between the measured batch sizes, flat beyond them."""
        if batch <= self.steps[0][0]:
            return self.steps[0][1]
        for (small, fast), (large, slow) in pairwise(self.steps):
            if batch <= large:
                return fast + (slow - fast) * (batch - small) / (large - small)
        return self.steps[-1][1]


ROUNDING_S = 1e-12


@dataclass
class _Server:
    """One model in the simulation: waiting requests, running ones with tokens left, seconds of the work in hand."""

    waiting: deque[int] = field(default_factory=deque)
    running: dict[int, int] = field(default_factory=dict)
    prefilling: int | None = None
    left_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Seconds from arrival to first and to last token; None where the simulation ended first."""

    ttft: float | None
    e2e: float | None


def _begin(server: _Server, service: Service) -> None:
    """Give an idle server its next piece of work: a prefill if there is room, else a decode step."""
    if server.waiting and len(server.running) < service.max_batch:
        server.prefilling = server.waiting.popleft()
        server.left_s = service.prefill_s
    elif server.running:
        server.left_s = service.step_s(len(server.running))


def _end(server: _Server, service: Service) -> tuple[list[int], list[int]]:
    """Finish the work in hand; which requests got their first token, and which ended."""
    server.left_s = None
    if server.prefilling is not None:
        request, server.prefilling = server.prefilling, None
        if service.output_tokens == 1:
            return [request], [request]
        server.running[request] = service.output_tokens - 1
        return [request], []
    ended = [request for request, left in server.running.items() if left == 1]
    server.running = {request: left - 1 for request, left in server.running.items() if left > 1}
    return [], ended


def simulate(arrivals: Sequence[tuple[float, int]], models: int, service: Service, end_s: float) -> list[Outcome]:
    """Step-level continuous batching of `models` equal servers on one ideally shared GPU.

    `arrivals` are (seconds, model), in any order; outcomes come in the same order.
    """
    servers = [_Server() for _ in range(models)]
    coming = [(time, request, model) for request, (time, model) in enumerate(arrivals)]
    heapq.heapify(coming)
    first: dict[int, float] = {}
    last: dict[int, float] = {}
    now = 0.0
    while now < end_s:
        busy = [(server, server.left_s) for server in servers if server.left_s is not None]
        step = min((left for _, left in busy), default=end_s) * max(1, len(busy))
        until = min(now + step, coming[0][0] if coming else end_s, end_s)
        gained = (until - now) / max(1, len(busy))
        now = until
        for server, left in busy:
            server.left_s = left - gained
            if server.left_s <= ROUNDING_S:
                begun, ended = _end(server, service)
                first.update(dict.fromkeys(begun, now))
                last.update(dict.fromkeys(ended, now))
        while coming and coming[0][0] <= now:
            _, request, model = heapq.heappop(coming)
            servers[model].waiting.append(request)
        for server in servers:
            if server.left_s is None:
                _begin(server, service)
    return [
        Outcome(
            ttft=first[request] - time if request in first else None,
            e2e=last[request] - time if request in last else None,
        )
        for request, (time, _) in enumerate(arrivals)
    ]
