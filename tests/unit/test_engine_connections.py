"""A later engine on an earlier one's port is reached, whatever the earlier one's program has left behind."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from pulumi.runtime import settings

from engine.connections import keep_apart


def _asked(channel: grpc.Channel) -> grpc.StatusCode:
    """What a question is answered with; a server that knows no questions answers UNIMPLEMENTED."""
    with pytest.raises(grpc.RpcError) as answer:
        channel.unary_unary("/nobody/Answers")(b"", timeout=20)
    return answer.value.code()


def _second_engine_on_the_first_ones_port(options: list[tuple[str, object]]) -> grpc.StatusCode:
    first, second = (grpc.server(ThreadPoolExecutor(1)) for _ in range(2))
    port = first.add_insecure_port("127.0.0.1:0")
    first.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as left_behind:
        assert _asked(left_behind) == grpc.StatusCode.UNIMPLEMENTED
        first.stop(0).wait()
        for _ in range(3):
            assert _asked(left_behind) == grpc.StatusCode.UNAVAILABLE
        second.add_insecure_port(f"127.0.0.1:{port}")
        second.start()
        try:
            with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as fresh:
                return _asked(fresh)
        finally:
            second.stop(0).wait()


def test_what_one_connection_met_at_an_address_is_no_matter_of_the_next_ones() -> None:
    keep_apart()
    keep_apart()
    assert len(settings._GRPC_CHANNEL_OPTIONS) == len(set(settings._GRPC_CHANNEL_OPTIONS))
    assert _second_engine_on_the_first_ones_port(settings._GRPC_CHANNEL_OPTIONS) == grpc.StatusCode.UNIMPLEMENTED


def test_without_it_the_next_one_is_taken_for_gone() -> None:
    shared = [option for option in settings._GRPC_CHANNEL_OPTIONS if option[0] != "grpc.use_local_subchannel_pool"]
    assert _second_engine_on_the_first_ones_port(shared) == grpc.StatusCode.UNAVAILABLE
