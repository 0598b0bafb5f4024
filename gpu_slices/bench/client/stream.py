"""One request to an OpenAI-style `/v1/completions` server that streams its tokens, as vLLM and TGI do.

Bytes are only stamped while a stream runs; they are parsed when it has ended, so that reading one stream delays the
others as little as possible. Times are seconds of `time.monotonic`, which all processes of a Linux machine share.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Any

DONE = b"[DONE]"
CONNECT_S = 5.0
LIMIT_BYTES = 64 * 1024 * 1024
BUFFER_BYTES = 16 * 1024
Piece = tuple[float, bytes]


class StreamError(Exception):
    """A reply that is not a whole, well-formed token stream; the text says what came instead."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What one request brought back: a time per token, and why it ended early (`error`), if it did."""

    sent: float | None
    arrivals: tuple[float, ...]
    prompt_tokens: int | None
    completion_tokens: int | None
    error: str | None


class Connection(asyncio.BufferedProtocol):
    """Sends one request and stamps what comes back until `[DONE]`, the end of the connection, or `finish`.

    Reads into a buffer of its own: asyncio's default allocates 256 KiB for every token.
    """

    def __init__(self, request: bytes, done: asyncio.Future[str | None]) -> None:
        self.pieces: list[Piece] = []
        self.sent: float | None = None
        self.last_data = monotonic()
        self._request = request
        self.done = done
        self._tail = b""
        self._buffer = memoryview(bytearray(BUFFER_BYTES))
        self._size = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the request."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self.done.done():
            transport.abort()
            return
        transport.write(self._request)
        self.sent = self.last_data = monotonic()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the next bytes go."""
        del sizehint
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Stamp what came; end at `[DONE]`, on an error status, or when it is far too long."""
        now = monotonic()
        data = bytes(self._buffer[:nbytes])
        self.pieces.append((now, data))
        self._size += len(data)
        if b"data" in data:  # keep-alive comments (": …") are no progress
            self.last_data = now
        if DONE in self._tail + data:
            self.finish(None)
        elif self._size > LIMIT_BYTES:
            self.finish(f"stream longer than {LIMIT_BYTES} bytes")
        elif len(self.pieces) == 1 and not is_success(data):
            asyncio.get_running_loop().call_later(0.2, self.finish, None)  # let the error's text arrive
        self._tail = data[-len(DONE) :]

    def connection_lost(self, exc: Exception | None) -> None:
        """End the exchange; a stream without `[DONE]` is found out when it is parsed."""
        self.finish(f"connection lost: {exc}" if exc else None)

    def finish(self, error: str | None) -> None:
        """End the exchange; the first caller decides the error."""
        if not self.done.done():
            self.done.set_result(error)
        if self._transport is not None:
            self._transport.abort()


def is_success(start: bytes) -> bool:
    """Whether a reply starts with status 200."""
    return start.startswith((b"HTTP/1.1 200", b"HTTP/1.0 200"))


def request_bytes(host: str, path: str, body: dict[str, Any]) -> bytes:
    """A whole HTTP/1.1 POST; keys of `body` that are None are left out."""
    payload = json.dumps({key: value for key, value in body.items() if value is not None}).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nAccept: text/event-stream\r\n"
        f"Content-Length: {len(payload)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + payload


def split_head(pieces: Iterable[Piece]) -> tuple[bytes, list[Piece]]:
    """The reply's head, and the pieces of its body.

    Raises:
        StreamError: nothing came, the head never ended, or the status is not 200.
    """
    buffer, rest = b"", list(pieces)
    while rest:
        time, data = rest.pop(0)
        buffer += data
        head, found, body = buffer.partition(b"\r\n\r\n")
        if not found:
            continue
        if not is_success(head):
            text = (body + b"".join(data for _, data in rest)).decode(errors="replace")
            raise StreamError(f"{head.splitlines()[0].decode(errors='replace')[:60]}: {text[:120]}".strip())
        return head.lower(), [(time, body), *rest] if body else rest
    raise StreamError(f"not an HTTP reply: {buffer[:60]!r}" if buffer else "closed without a reply")


def unchunk(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Undo chunked transfer encoding; each chunk gets the time of the piece that completed it."""
    buffer = b""
    for time, data in pieces:
        buffer += data
        while True:
            line, found, rest = buffer.partition(b"\r\n")
            if not found:
                break
            try:
                size = int(line.split(b";")[0], 16)
            except ValueError:
                raise StreamError(f"broken chunk header {line[:40]!r}") from None
            if len(rest) < size + 2:
                break
            buffer = rest[size + 2 :]
            if size:
                yield time, rest[:size]


def events(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The payloads of server-sent events, each with the time at which its last byte arrived."""
    buffer = b""
    for time, data in pieces:
        buffer += data
        if b"\r" in buffer:
            buffer = buffer.replace(b"\r\n", b"\n")
        *whole, buffer = buffer.split(b"\n\n")
        for block in whole:
            lines = [line[5:].strip() for line in block.split(b"\n") if line.startswith(b"data:")]
            if lines:
                yield time, b"\n".join(lines)


def chunk_of(payload: bytes) -> dict[str, Any]:
    """One event's JSON object.

    Raises:
        StreamError: it is no JSON object, or the server reports an error in it.
    """
    try:
        chunk = json.loads(payload)
    except ValueError:
        raise StreamError(f"an event is not JSON: {payload[:60]!r}") from None
    if not isinstance(chunk, dict) or not isinstance(chunk.get("choices", []), list):
        raise StreamError(f"an event is no completion chunk: {payload[:60]!r}")
    if chunk.get("error"):
        raise StreamError(f"the server reports: {str(chunk['error'])[:120]}")
    return chunk


def read_reply(pieces: list[Piece], *, sent: float | None, error: str | None) -> Reply:
    """Parse a finished, failed or cut stream. A token counts when the event that carries it has arrived.

    An event with choices is one token, unless it carries `usage`: then it is as many as the total has grown by.
    """
    arrivals: list[float] = []
    usage: dict[str, Any] = {}
    ended = False
    try:
        head, body = split_head(pieces)
        chunked = b"transfer-encoding: chunked" in head
        for time, payload in events(unchunk(body) if chunked else body):
            if payload == DONE:
                ended = True
                break
            chunk = chunk_of(payload)
            usage = chunk.get("usage") or usage
            if chunk.get("choices"):
                total = (chunk.get("usage") or {}).get("completion_tokens")
                arrivals.extend([time] * (1 if total is None else max(0, int(total) - len(arrivals))))
        if not ended:
            raise StreamError(f"the stream broke off after {len(arrivals)} tokens")
    except StreamError as problem:
        error = error or str(problem)
    return Reply(
        sent=sent,
        arrivals=tuple(arrivals),
        prompt_tokens=usage.get("prompt_tokens"),
        completion_tokens=usage.get("completion_tokens"),
        error=error,
    )


class Exchange:
    """One request in flight. `run` ends with a Reply, whatever happens; `cut` ends it from outside."""

    def __init__(self, address: tuple[str, int], request: bytes) -> None:
        self._address = address
        self._request = request
        self._connection: Connection | None = None

    async def run(self) -> Reply:
        """Send, wait for the end, parse."""
        loop = asyncio.get_running_loop()
        connection = Connection(self._request, loop.create_future())
        self._connection = connection
        error = await self._connect(connection)
        if error is None:
            error = await connection.done
        return read_reply(connection.pieces, sent=connection.sent, error=error)

    async def _connect(self, connection: Connection) -> str | None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_S):
                await loop.create_connection(lambda: connection, *self._address)
        except TimeoutError:
            return f"no connection within {CONNECT_S:.0f} s"
        except OSError as problem:
            return f"no connection: {problem.strerror or problem}"
        return None

    def idle_s(self) -> float:
        """Seconds since the last token, or since the request was sent."""
        return monotonic() - self._connection.last_data if self._connection else 0.0

    def cut(self, error: str) -> None:
        """End the exchange from outside."""
        if self._connection is not None:
            self._connection.finish(error)
