"""One synthetic model server: `python -m gpu_slices.bench.decoder_server --model 3b --mode graph`. Needs PyTorch.

Prints one JSON line when it serves: its port, GPU, memory, and what a decode step takes by batch size on its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import threading
from statistics import median
from time import monotonic
from typing import Any

from .batching import Batcher, Delivery
from .completion_server import port_of, serve
from .decoder import BUCKETS, SHAPES, TorchDecoder

SWITCH_S = 0.0005  # the engine thread must get the interpreter back soon after a step has ended
TIMED_STEPS = 30


def self_check(device: str) -> float:
    """How far the cached decode path is from recomputing a prompt of one token more, as a share of agreeing tokens."""
    options = {"slots": 4, "length": 64, "device": device, "graphs": False}
    short = TorchDecoder(SHAPES["tiny"], prompt=15, **options)
    long = TorchDecoder(SHAPES["tiny"], prompt=16, **options)
    agreeing = 0
    for number in range(16):
        prompt = long.prompts[number].clone()
        short.prompts[number] = prompt[:15]
        short.prefill(number % 4, 15, number)
        short.tokens[number % 4] = prompt[15]
        short.decode(4)
        long.prefill(number % 4, 16, number)
        agreeing += short.snapshot().wait()[number % 4] == long.snapshot().wait()[number % 4]
    return agreeing / 16


def step_times(decoder: TorchDecoder) -> dict[str, float]:
    """Median milliseconds of a decode step by batch size, and of a prefill, with nothing else queued."""

    def timed(work: Any) -> float:
        times: list[float] = []
        for _ in range(TIMED_STEPS):
            start = monotonic()
            work()
            decoder.snapshot().wait()
            times.append(monotonic() - start)
        return round(median(times) * 1e3, 4)

    sizes = [size for size in BUCKETS if size <= decoder.slots]
    return {
        "prefill": timed(lambda: decoder.prefill(0, decoder.prompt, 1)),
        **{str(size): timed(lambda size=size: decoder.decode(size)) for size in sizes},
    }


def describe(decoder: TorchDecoder, mode: str, model: str) -> dict[str, Any]:
    """What a reader of the records must know of this server."""
    torch = decoder.torch
    facts: dict[str, Any] = {
        "model": model,
        "mode": mode,
        "parameters": decoder.shape.parameters,
        "step_ms": step_times(decoder),
        "torch": torch.__version__,
        "decode_agrees_with_prefill": self_check(decoder.device),
    }
    if decoder.device == "cuda":
        properties = torch.cuda.get_device_properties(0)
        facts |= {
            "gpu": properties.name,
            "uuid": str(getattr(properties, "uuid", "")),
            "cuda": torch.version.cuda,
            "reserved_mib": torch.cuda.memory_reserved() // 2**20,
        }
    return facts


async def run_server(decoder: TorchDecoder, facts: dict[str, Any], port: int) -> None:
    """Serve until the process is ended."""
    loop = asyncio.get_running_loop()

    def hand_over(delivery: Delivery) -> None:
        for stream, text in delivery:
            if not stream.closed:
                stream.token(text)

    batcher = Batcher(decoder, lambda delivery: loop.call_soon_threadsafe(hand_over, delivery) and None)
    threading.Thread(target=batcher.run, daemon=True).start()
    server = await serve(port, batcher.submit)
    print(json.dumps({"port": port_of(server), **facts}), flush=True)
    await server.serve_forever()


def main() -> None:
    """Build the decoder, then serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=sorted(SHAPES), default="3b")
    parser.add_argument("--mode", choices=("graph", "eager"), default="graph")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--prompt", type=int, default=128)
    parser.add_argument("--length", type=int, default=264)
    parser.add_argument("--port", type=int, default=0)
    args = parser.parse_args()
    sys.setswitchinterval(SWITCH_S)
    decoder = TorchDecoder(
        SHAPES[args.model],
        slots=args.slots,
        prompt=args.prompt,
        length=args.length,
        device=args.device,
        graphs=args.mode == "graph" and args.device == "cuda",
    )
    asyncio.run(run_server(decoder, describe(decoder, args.mode, args.model), args.port))


if __name__ == "__main__":
    main()
