"""A fake device on the CPU whose sharing law is known, for checking that the client measures what is there.

The device makes one token at a time, each in `step_s`, on a schedule that does not drift while work is waiting.
`serial`: all models wait in one first-come queue, so N saturating models have STP 1 (1 / (1 + ε) when switching
costs `epsilon`). `independent`: a device per model, so STP is N.

As a program: one server per model, whose ports it prints as one JSON line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections import deque
from functools import partial
from time import monotonic
from typing import Literal, get_args

from .completion_server import Stream, port_of, serve

Law = Literal["serial", "independent"]
LAWS: tuple[Law, ...] = get_args(Law)
SLACK_S = 0.25  # how late a busy machine may wake the device without the device losing capacity


class FakeDevice:
    """One token at a time, first come first served; a stream rejoins the queue's end after each token."""

    def __init__(self, step_s: float, epsilon: float = 0.0) -> None:
        self.step_s, self.epsilon = step_s, epsilon
        self._queue: deque[tuple[str, Stream]] = deque()
        self._wake = asyncio.Event()
        self._free_at = 0.0

    def submit(self, owner: str, stream: Stream) -> None:
        """Queue a stream's first token; `owner` names its model."""
        self._queue.append((owner, stream))
        self._wake.set()

    def step_now(self, owner: str) -> float:
        """Seconds the next token takes: dearer by epsilon while another model's work is waiting too."""
        shared = any(other != owner for other, _ in self._queue)
        return self.step_s * (1 + self.epsilon if shared else 1.0)

    async def run(self) -> None:
        """Make tokens while there is work."""
        busy = False
        while True:
            if not self._queue:
                busy = False
                self._wake.clear()
                await self._wake.wait()
            owner, stream = self._queue.popleft()
            if stream.closed:
                continue
            start = max(self._free_at, monotonic() - (SLACK_S if busy else 0.0))
            self._free_at, busy = start + self.step_now(owner), True
            await asyncio.sleep(max(0.0, self._free_at - monotonic()))
            if not stream.closed:
                stream.token("word ")
                if len(stream.written) < stream.wanted:
                    self._queue.append((owner, stream))


async def run_servers(models: int, law: Law, step_s: float, epsilon: float) -> None:
    """Serve until the process is ended; the ports are printed as one JSON line."""
    shared = FakeDevice(step_s, epsilon)
    devices = [shared if law == "serial" else FakeDevice(step_s, epsilon) for _ in range(models)]
    ended: deque[Stream] = deque(maxlen=4096)

    def submit(device: FakeDevice, owner: str, stream: Stream) -> None:
        ended.append(stream)
        device.submit(owner, stream)

    def stamps() -> object:
        return {stream.identity: {"accepted": stream.accepted, "written": stream.written} for stream in ended}

    servers = [
        await serve(0, partial(submit, device, f"model-{number}"), {"/stamps": stamps})
        for number, device in enumerate(devices)
    ]
    print(json.dumps({"ports": [port_of(server) for server in servers]}), flush=True)
    await asyncio.gather(*(device.run() for device in {id(device): device for device in devices}.values()))


def main() -> None:
    """Serve from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=2)
    parser.add_argument("--law", choices=LAWS, default="serial")
    parser.add_argument("--step-ms", type=float, default=10.0)
    parser.add_argument("--epsilon", type=float, default=0.0)
    args = parser.parse_args()
    asyncio.run(run_servers(args.models, args.law, args.step_ms / 1e3, args.epsilon))


if __name__ == "__main__":
    main()
