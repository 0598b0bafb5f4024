"""The engine loop: every request gets its tokens in order, slots are never shared, one step stays queued ahead."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gpu_slices.bench.batching import AHEAD, Batcher, Delivery
from gpu_slices.bench.completion_server import Stream


class ScriptedDecoder:
    """Counts per slot, so that a token tells how many steps its request has had since its prefill."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.counts = [0] * slots
        self.queued = 0
        self.most_queued = 0

    def prefill(self, slot: int, prompt_tokens: int, seed: int) -> None:
        del prompt_tokens, seed
        self.counts[slot] = 1

    def decode(self, rows: int) -> None:
        for slot in range(rows):
            self.counts[slot] += 1

    def snapshot(self) -> Any:
        self.queued += 1
        self.most_queued = max(self.most_queued, self.queued)
        return ScriptedSnapshot(self, tuple(self.counts))


class ScriptedSnapshot:
    def __init__(self, decoder: ScriptedDecoder, counts: tuple[int, ...]) -> None:
        self.decoder, self.counts = decoder, counts

    def wait(self) -> tuple[int, ...]:
        self.decoder.queued -= 1
        return self.counts


class Transport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.closing = False

    def is_closing(self) -> bool:
        return self.closing


def serve(wanted: list[int], slots: int) -> tuple[ScriptedDecoder, list[Stream], dict[int, list[str]]]:
    decoder = ScriptedDecoder(slots)
    got: dict[int, list[str]] = {}

    def deliver(delivery: Delivery) -> None:
        for stream, text in delivery:
            got.setdefault(id(stream), []).append(text.strip())
        if sum(len(texts) for texts in got.values()) == sum(wanted):
            batcher.submit(None)

    batcher = Batcher(decoder, deliver)
    streams = [Stream(Transport(), {"prompt": f"r{index} x", "max_tokens": n}) for index, n in enumerate(wanted)]
    for stream in streams:
        batcher.submit(stream)
    batcher.run()
    return decoder, streams, got


@given(st.lists(st.integers(1, 12), min_size=1, max_size=12), st.integers(1, 5))
def test_every_request_gets_its_own_tokens_in_order_however_few_slots_there_are(wanted: list[int], slots: int):
    _, streams, got = serve(wanted, slots)
    for stream, count in zip(streams, wanted, strict=True):
        assert got[id(stream)] == [str(number + 1) for number in range(count)]


def test_the_device_always_has_the_next_step_queued_before_tokens_are_handed_out():
    decoder, _, _ = serve([50], 2)
    assert decoder.most_queued >= AHEAD + 1


def test_a_request_whose_client_has_gone_frees_its_slot():
    decoder = ScriptedDecoder(1)
    gone, stays = Transport(), Transport()
    served: list[str] = []

    def deliver(delivery: Delivery) -> None:
        for stream, text in delivery:
            served.append(f"{stream.identity}{text.strip()}")
            gone.closing = True
        if served[-1] == "second2":
            batcher.submit(None)

    batcher = Batcher(decoder, deliver)
    batcher.submit(Stream(gone, {"prompt": "first", "max_tokens": 10_000}))
    batcher.submit(Stream(stays, {"prompt": "second", "max_tokens": 2}))
    batcher.run()
    assert served[-2:] == ["second1", "second2"]
    assert len(served) < 100
