"""The HTTP half of the benchmark's own model servers: `/v1/completions` streamed as server-sent events, `/health`.

Behind it stands anything that takes `Stream`s and feeds them tokens: a fake device or a decoder on a GPU.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from time import monotonic
from typing import Any

BACKLOG = 1024


class Stream:
    """One streamed completion: `token` per generated token, `finish` at the end. `closed` when the client has gone."""

    def __init__(self, transport: asyncio.Transport, body: dict[str, Any]) -> None:
        words = str(body.get("prompt", "")).split()
        self.identity = words[0] if words else ""
        self.prompt_tokens = len(words)
        self.wanted = int(body.get("max_tokens", 16))
        self.model = str(body.get("model", ""))
        self.accepted = monotonic()
        self.written: list[float] = []
        self._transport = transport

    @property
    def closed(self) -> bool:
        """Whether the client has gone, or the stream has ended."""
        return self._transport.is_closing()

    def begin(self) -> None:
        """Send the head of the reply."""
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
            b"Connection: close\r\n\r\n"
        )

    def token(self, text: str) -> None:
        """Send one token; the last one asked for ends the stream."""
        self.written.append(monotonic())
        ended = len(self.written) >= self.wanted
        reason = '"length"' if ended else "null"
        choice = f'{{"index":0,"text":"{text}","logprobs":null,"finish_reason":{reason}}}'
        head = f'{{"id":"{self.identity}","object":"text_completion","model":"{self.model}"'
        self.event(f'{head},"choices":[{choice}],"usage":null}}')
        if ended:
            self.finish(head)

    def finish(self, head: str) -> None:
        """Send usage and `[DONE]`, and end the connection."""
        tokens, prompt = len(self.written), self.prompt_tokens
        usage = f'{{"prompt_tokens":{prompt},"completion_tokens":{tokens},"total_tokens":{prompt + tokens}}}'
        self.event(f'{head},"choices":[],"usage":{usage}}}')
        self.event("[DONE]")
        self._transport.write(b"0\r\n\r\n")
        self._transport.close()

    def event(self, payload: str) -> None:
        """Send one server-sent event."""
        data = f"data: {payload}\n\n".encode()
        self._transport.write(b"%x\r\n%b\r\n" % (len(data), data))


class CompletionProtocol(asyncio.Protocol):
    """One connection, one request. A request that is not understood gets a 4xx and the connection ends."""

    def __init__(self, submit: Callable[[Stream], None], pages: dict[str, Callable[[], object]]) -> None:
        self._submit = submit
        self._pages = pages
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer once the whole request is here."""
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found or self._transport is None:
            return
        lines = head.decode(errors="replace").split("\r\n")
        headers = {key.strip().lower(): value.strip() for key, _, value in (line.partition(":") for line in lines[1:])}
        if len(body) < int(headers.get("content-length", "0")):
            return
        self._buffer = b""
        method, path, *_ = [*lines[0].split(" "), "", ""]
        self._answer(self._transport, method, path, body)

    def _answer(self, transport: asyncio.Transport, method: str, path: str, body: bytes) -> None:
        if method == "GET" and path in self._pages:
            reply(transport, 200, self._pages[path]())
            return
        if method != "POST" or path != "/v1/completions":
            reply(transport, 404, {"error": f"{method} {path}: POST /v1/completions is what this server speaks"})
            return
        try:
            asked = json.loads(body)
            stream = Stream(transport, asked)
        except (ValueError, TypeError, AttributeError) as problem:
            reply(transport, 400, {"error": f"not a completion request: {problem}"})
            return
        stream.begin()
        self._submit(stream)


def reply(transport: asyncio.Transport, status: int, content: object) -> None:
    """Answer with JSON and end the connection."""
    data = json.dumps(content).encode()
    head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n"
    transport.write(head.encode() + b"Connection: close\r\n\r\n" + data)
    transport.close()


async def serve(
    port: int, submit: Callable[[Stream], None], pages: dict[str, Callable[[], object]] | None = None
) -> asyncio.Server:
    """Listen on the loopback address; port 0 picks a free one. `pages` are GET paths answered as JSON."""
    every = {"/health": lambda: {"status": "ok"}, **(pages or {})}
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: CompletionProtocol(submit, every), "127.0.0.1", port, backlog=BACKLOG)


def port_of(server: asyncio.Server) -> int:
    """The port a server listens on."""
    return int(server.sockets[0].getsockname()[1])
