"""Step-level continuous batching, as serving engines do it: requests join and leave the batch between decode steps.

One thread owns the decoder and keeps one step queued ahead on the device, so that handing tokens to clients does not
leave the device idle. The decoder is anything with the `Decoder` methods; it may or may not run on a GPU.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Protocol

from .completion_server import Stream

Delivery = list[tuple[Stream, str]]
AHEAD = 1  # steps queued on the device beyond the one whose tokens are awaited


class Snapshot(Protocol):
    """A place in the device's work queue."""

    def wait(self) -> Sequence[int]:
        """Block until the device has got here; the newest token of every slot."""
        ...


class Decoder(Protocol):
    """A model with `slots` places in its key-value cache. Calls enqueue work; only `Snapshot.wait` blocks."""

    slots: int

    def prefill(self, slot: int, prompt_tokens: int, seed: int) -> None:
        """Read a prompt into a slot and make its first token; `seed` varies the prompt."""
        ...

    def decode(self, rows: int) -> None:
        """One token for each of the slots below `rows`."""
        ...

    def snapshot(self) -> Snapshot:
        """Mark the device's place after all work enqueued so far."""
        ...


@dataclass
class Seat:
    """A running request: its slot and how many tokens it still wants."""

    stream: Stream
    slot: int
    left: int


class Batcher:
    """The engine loop. `deliver` gets each step's tokens, from the engine's thread."""

    def __init__(self, decoder: Decoder, deliver: Callable[[Delivery], None]) -> None:
        self._decoder = decoder
        self._deliver = deliver
        self._incoming: SimpleQueue[Stream | None] = SimpleQueue()
        self._waiting: deque[Stream] = deque()
        self._seats: dict[int, Seat] = {}
        self._pending: deque[tuple[Snapshot, list[Seat]]] = deque()
        self._count = 0

    def submit(self, stream: Stream | None) -> None:
        """Hand in a request, from any thread; None stops the loop."""
        self._incoming.put(stream)

    def run(self) -> None:
        """Serve until told to stop."""
        while self._take_in():
            self._drop_closed()
            if begun := self._prefill():
                self._enqueue(begun)
            if self._seats:
                self._decoder.decode(max(self._seats) + 1)
                self._enqueue(list(self._seats.values()))
            self._flush(AHEAD if self._seats else 0)

    def _take_in(self) -> bool:
        """Collect new requests; sleep while there is nothing to do. False when told to stop."""
        block = not self._seats and not self._waiting
        while True:
            try:
                stream = self._incoming.get(block=block)
            except Empty:
                return True
            if stream is None:
                return False
            self._waiting.append(stream)
            block = False

    def _drop_closed(self) -> None:
        self._seats = {slot: seat for slot, seat in self._seats.items() if not seat.stream.closed}

    def _prefill(self) -> list[Seat]:
        begun: list[Seat] = []
        while self._waiting and len(self._seats) + len(begun) < self._decoder.slots:
            stream = self._waiting.popleft()
            if stream.closed:
                continue
            taken = {*self._seats, *(seat.slot for seat in begun)}
            slot = next(slot for slot in range(self._decoder.slots) if slot not in taken)
            self._count += 1
            self._decoder.prefill(slot, stream.prompt_tokens, self._count)
            begun.append(Seat(stream=stream, slot=slot, left=stream.wanted))
        return begun

    def _enqueue(self, seats: list[Seat]) -> None:
        """Account for one token of each seat and note the device's place, to deliver once it has got there."""
        self._pending.append((self._decoder.snapshot(), seats))
        for seat in seats:
            seat.left -= 1
            self._seats[seat.slot] = seat
        self._seats = {slot: seat for slot, seat in self._seats.items() if seat.left > 0}

    def _flush(self, keep: int) -> None:
        while len(self._pending) > keep:
            snapshot, seats = self._pending.popleft()
            tokens = snapshot.wait()
            self._deliver([(seat.stream, f"{tokens[seat.slot]} ") for seat in seats])
