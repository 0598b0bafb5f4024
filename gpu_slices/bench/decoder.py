"""A synthetic Llama-style decoder in PyTorch: real shapes, random normal weights, no checkpoint, no end-of-text.

Random weights, not zeros: on zeros a GPU draws less power and runs faster than on any real model. Keys and values sit
in a static cache, tokens and positions stay on the device, so that a decode step is one CUDA graph in `graph` mode.
`eager` launches every kernel from Python, which leaves the GPU idle in between. PyTorch is imported here only, on use.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

VOCABULARY = 32_000
BUCKETS = (1, 2, 4, 8, 16, 32, 48, 64, 80, 96, 128)
RING = 8


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Sizes of a decoder; `head` is the width of one attention head."""

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    ffn: int
    head: int = 128

    @property
    def parameters(self) -> int:
        """Number of weights, embeddings included."""
        attention = self.hidden * self.head * (2 * self.heads + 2 * self.kv_heads)
        return self.layers * (attention + 3 * self.hidden * self.ffn) + 2 * VOCABULARY * self.hidden


SHAPES: dict[str, Shape] = {
    "tiny": Shape(hidden=64, layers=2, heads=4, kv_heads=2, ffn=128, head=16),
    "1b": Shape(hidden=2048, layers=16, heads=16, kv_heads=8, ffn=8192),
    "3b": Shape(hidden=3072, layers=28, heads=24, kv_heads=8, ffn=8192),
    "8b": Shape(hidden=4096, layers=32, heads=32, kv_heads=8, ffn=14336),
}


class TorchSnapshot:
    """`Snapshot` as a CUDA event and the pinned copy of the tokens that it guards."""

    def __init__(self, event: Any, host: Any) -> None:
        self._event, self._host = event, host

    def wait(self) -> Sequence[int]:
        """Block until the copy is there."""
        if self._event is not None:
            self._event.synchronize()
        return self._host.tolist()


class TorchDecoder:
    """`Decoder` for `batching`, on "cuda" or (for checking) "cpu". Prompts are cut or repeated to `prompt` tokens."""

    def __init__(self, shape: Shape, *, slots: int, prompt: int, length: int, device: str, graphs: bool) -> None:
        self.torch: Any = importlib.import_module("torch")
        torch = self.torch
        self.shape, self.slots, self.prompt, self.length, self.device = shape, slots, prompt, length, device
        self._graphs = graphs
        self._kind = torch.bfloat16 if device == "cuda" else torch.float32
        torch.manual_seed(0)
        self._make_weights()
        places = {"device": device, "dtype": torch.int64}
        cache = (shape.layers, slots, shape.kv_heads, length, shape.head)
        self.keys = torch.zeros(cache, device=device, dtype=self._kind)
        self.values = torch.zeros(cache, device=device, dtype=self._kind)
        self.tokens = torch.zeros(slots, **places)
        self.positions = torch.zeros(slots, **places)
        self.prompts = torch.randint(VOCABULARY, (64, prompt), **places)
        self.prompt_in = self.prompts[0].clone()
        self.slot_in = torch.zeros(1, **places)
        self._rows = torch.arange(slots, **places)
        self._times = torch.arange(length, **places)
        self._zero = torch.zeros(1, device=device, dtype=self._kind)
        pin = device == "cuda"
        self._ring = [torch.zeros(slots, dtype=torch.int64, pin_memory=pin) for _ in range(RING)]
        self._turn = 0
        self._decode_graphs: dict[int, Any] = {}
        self._prefill_graph: Any = None
        if graphs:
            self._capture()

    def _make_weights(self) -> None:
        torch, shape = self.torch, self.shape

        def random(*size: int) -> Any:
            # 1/sqrt(fan-in) keeps activations of the size real ones have
            return torch.randn(size, device=self.device, dtype=self._kind) * size[-1] ** -0.5

        width = shape.heads * shape.head
        self._embedding = torch.randn((VOCABULARY, shape.hidden), device=self.device, dtype=self._kind)
        self._head = random(VOCABULARY, shape.hidden)
        self._norm = torch.ones(shape.hidden, device=self.device, dtype=self._kind)
        self._layers = [
            {
                "qkv": random(width + 2 * shape.kv_heads * shape.head, shape.hidden),
                "out": random(shape.hidden, width),
                "gate_up": random(2 * shape.ffn, shape.hidden),
                "down": random(shape.hidden, shape.ffn),
            }
            for _ in range(shape.layers)
        ]
        turns = 10_000.0 ** (-torch.arange(0, shape.head, 2, device=self.device, dtype=torch.float32) / shape.head)
        angles = torch.arange(self.length, device=self.device, dtype=torch.float32)[:, None] * turns
        self._cos = torch.cat((angles.cos(), angles.cos()), dim=-1).to(self._kind)
        self._sin = torch.cat((-angles.sin(), angles.sin()), dim=-1).to(self._kind)

    def _rotation(self, positions: Any) -> tuple[Any, Any]:
        """Rotary position embedding of these positions, for `_block`: once per step, not once per layer."""
        return self._cos[positions][:, None], self._sin[positions][:, None]

    def _block(self, layer: dict[str, Any], x: Any, rotation: tuple[Any, Any], attend: Any) -> Any:
        """One transformer block over [tokens, hidden]; `attend(q, k, v)` does what differs by phase."""
        torch, shape = self.torch, self.shape
        functional, size, (cos, sin) = torch.nn.functional, (shape.hidden,), rotation
        mixed = functional.linear(functional.rms_norm(x, size, self._norm), layer["qkv"]).unflatten(
            -1, (-1, shape.head)
        )
        turning, v = mixed[:, : shape.heads + shape.kv_heads], mixed[:, shape.heads + shape.kv_heads :]
        swapped = turning.unflatten(-1, (2, -1)).flip(-2).flatten(-2)
        turned = torch.addcmul(turning * cos, swapped, sin)
        seen = attend(turned[:, : shape.heads], turned[:, shape.heads :], v)
        x = torch.addmm(x, seen, layer["out"].t())
        gate, up = functional.linear(functional.rms_norm(x, size, self._norm), layer["gate_up"]).chunk(2, dim=-1)
        return torch.addmm(x, functional.silu(gate) * up, layer["down"].t())

    def _next_tokens(self, x: Any) -> Any:
        functional = self.torch.nn.functional
        return functional.linear(functional.rms_norm(x, (self.shape.hidden,), self._norm), self._head).argmax(dim=-1)

    def _decode_step(self, rows: int) -> None:
        shape, functional = self.shape, self.torch.nn.functional
        where, places = self._rows[:rows], self.positions[:rows]
        hidden = self._times[None] > places[:, None]
        mask = self._zero.masked_fill(hidden, float("-inf"))[:, None, None]
        rotation = self._rotation(places)
        x = self._embedding[self.tokens[:rows]]
        for number, layer in enumerate(self._layers):
            keys, values = self.keys[number], self.values[number]

            def attend(q: Any, k: Any, v: Any, keys: Any = keys, values: Any = values) -> Any:
                keys[where, :, places] = k
                values[where, :, places] = v
                grouped = q.unflatten(1, (shape.kv_heads, -1))  # query heads that share a key head become its rows
                return functional.scaled_dot_product_attention(
                    grouped, keys[:rows], values[:rows], attn_mask=mask
                ).flatten(1)

            x = self._block(layer, x, rotation, attend)
        self.tokens[:rows] = self._next_tokens(x)
        places.add_(1).clamp_(max=self.length - 1)

    def _prefill_step(self) -> None:
        shape, functional = self.shape, self.torch.nn.functional
        rotation = self._rotation(self._times[: self.prompt])
        x = self._embedding[self.prompt_in]
        for number, layer in enumerate(self._layers):
            keys, values = self.keys[number], self.values[number]

            def attend(q: Any, k: Any, v: Any, keys: Any = keys, values: Any = values) -> Any:
                q, k, v = (part.transpose(0, 1)[None] for part in (q, k, v))
                keys[:, :, : self.prompt].index_copy_(0, self.slot_in, k)
                values[:, :, : self.prompt].index_copy_(0, self.slot_in, v)
                group = shape.heads // shape.kv_heads
                k, v = (part.repeat_interleave(group, dim=1) for part in (k, v))
                seen = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
                return seen[0].transpose(0, 1).flatten(1)

            x = self._block(layer, x, rotation, attend)
        self.tokens.index_copy_(0, self.slot_in, self._next_tokens(x[-1:]))
        self.positions.index_fill_(0, self.slot_in, self.prompt)

    def _capture(self) -> None:
        """Record one CUDA graph per batch size and one for prefill, after warming each up on a side stream."""
        torch = self.torch
        sizes = sorted({size for size in BUCKETS if size < self.slots} | {self.slots})
        pool = torch.cuda.graph_pool_handle()
        with torch.inference_mode():
            for size in reversed(sizes):
                self._decode_graphs[size] = self._captured(lambda size=size: self._decode_step(size), pool)
            self._prefill_graph = self._captured(self._prefill_step, pool)
        self._decode_graphs = dict(sorted(self._decode_graphs.items()))

    def _captured(self, step: Any, pool: Any) -> Any:
        torch = self.torch
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(2):
                step()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=pool):
            step()
        return graph

    def prefill(self, slot: int, prompt_tokens: int, seed: int) -> None:
        """Write a prompt's keys and values into a slot and make its first token."""
        with self.torch.inference_mode():
            self.prompt_in.copy_(self.prompts[seed % len(self.prompts)])
            self.slot_in.fill_(slot)
            self._prefill_graph.replay() if self._graphs else self._prefill_step()

    def decode(self, rows: int) -> None:
        """One token for each of the slots below `rows`."""
        with self.torch.inference_mode():
            if self._graphs:
                self._decode_graphs[next(size for size in self._decode_graphs if size >= rows)].replay()
            else:
                self._decode_step(rows)

    def snapshot(self) -> TorchSnapshot:
        """Copy the newest tokens to the host, behind all work enqueued so far."""
        host = self._ring[self._turn % RING]
        self._turn += 1
        with self.torch.inference_mode():
            host.copy_(self.tokens, non_blocking=True)
        if self.device != "cuda":
            return TorchSnapshot(None, host.clone())
        event = self.torch.cuda.Event(blocking=True)
        event.record()
        return TorchSnapshot(event, host)
