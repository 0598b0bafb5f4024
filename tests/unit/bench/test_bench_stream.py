"""Reading a reply: both servers' dialects, cut anywhere; and what is wrong is said, not guessed over."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_slices.bench.client.stream import read_reply, request_bytes

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"


def chunk(text: str | None, usage: int | None = None, **more: object) -> dict[str, object]:
    choices = [] if text is None else [{"index": 0, "text": text, "finish_reason": None}]
    counted = None if usage is None else {"prompt_tokens": 7, "completion_tokens": usage}
    return {"id": "x", "choices": choices, "usage": counted, **more}


VLLM = [chunk("a", 1), chunk("b", 2), chunk("", 3), chunk(None, 3)]
TGI = [{"choices": [{"text": "a"}]}, {"choices": [{"text": "b"}]}, chunk("c", 3)]


def stream_of(chunks: list[dict[str, object]], *, chunked: bool, newline: str = "\n", done: bool = True) -> bytes:
    events = [f"data: {json.dumps(item)}{newline}{newline}" for item in chunks]
    events += [f"data: [DONE]{newline}{newline}"] if done else []
    if not chunked:
        return HEAD + b"\r\n" + "".join(events).encode()
    body = b"".join(b"%x\r\n%b\r\n" % (len(event), event.encode()) for event in events)
    return HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + body + b"0\r\n\r\n"


def cut_at(data: bytes, places: list[int]) -> list[tuple[float, bytes]]:
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    parts = [data[start:end] for start, end in itertools.pairwise(edges)]
    return [(float(number), part) for number, part in enumerate(parts)]


@given(st.sampled_from([VLLM, TGI]), st.booleans(), st.sampled_from(["\n", "\r\n"]), st.lists(st.integers(0, 5000)))
def test_three_tokens_are_three_wherever_the_network_cuts(chunks, chunked, newline, places):
    pieces = cut_at(stream_of(chunks, chunked=chunked, newline=newline), places)
    reply = read_reply(pieces, sent=0.0, error=None)
    assert reply.error is None
    assert len(reply.arrivals) == 3
    assert list(reply.arrivals) == sorted(reply.arrivals)
    assert (reply.prompt_tokens, reply.completion_tokens) == (7, 3)


def test_a_token_arrives_with_the_piece_that_completes_its_event():
    whole = stream_of([chunk("a", 1), chunk("b", 2)], chunked=False)
    second = whole.index(b'"b"')
    reply = read_reply([(1.0, whole[:second]), (2.0, whole[second:])], sent=0.0, error=None)
    assert reply.arrivals == (1.0, 2.0)


def test_tokens_merged_into_one_event_are_counted_by_the_usage_it_carries():
    reply = read_reply([(1.0, stream_of([chunk("a", 1), chunk("bcd", 4)], chunked=True))], sent=0.0, error=None)
    assert len(reply.arrivals) == 4


def test_comments_that_keep_the_connection_alive_are_no_tokens():
    data = HEAD + b"\r\n: ping\n\n" + stream_of([chunk("a", 1)], chunked=False).partition(b"\r\n\r\n")[2]
    assert len(read_reply([(1.0, data)], sent=0.0, error=None).arrivals) == 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "without a reply"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "not an HTTP reply"),
        (b'HTTP/1.1 429 Busy\r\n\r\n{"error":"Model is overloaded"}', "overloaded"),
        (stream_of([chunk("a", 1)], chunked=True, done=False), "broke off after 1 tokens"),
        (HEAD + b"\r\ndata: {oops\n\n", "not JSON"),
        (HEAD + b"\r\ndata: [1, 2]\n\n", "no completion chunk"),
        (HEAD + b'\r\ndata: {"error": "CUDA out of memory"}\n\n', "CUDA out of memory"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "broken chunk header"),
    ],
)
def test_a_reply_that_is_no_whole_stream_says_what_came_instead(data: bytes, words: str):
    reply = read_reply([(1.0, data)] if data else [], sent=0.0, error=None)
    assert reply.error is not None
    assert words in reply.error


def test_a_key_set_to_none_is_left_out_of_the_request():
    request = request_bytes("h:1", "/v1/completions", {"model": "tgi", "ignore_eos": None})
    assert b"ignore_eos" not in request
    assert request.endswith(b'{"model": "tgi"}')
