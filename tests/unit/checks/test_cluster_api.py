"""The API server's "later" is waited for; everything else is told at once."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from gpu_slices.checks.cluster_api import ClusterApi, ClusterError, RefusedError

BUSY = {"kind": "Status", "code": 429, "message": "storage is (re)initializing"}


@contextmanager
def server(*answers: tuple[int, dict[str, str]]) -> Iterator[tuple[ClusterApi, list[str]]]:
    """An API server that gives these answers in turn, the last one for ever; and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            asked.append(f"{self.command} {self.path}")
            status, headers = answers[min(len(asked), len(answers)) - 1]
            body = json.dumps({"items": []} if status == 200 else BUSY).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer  # noqa: N815

        def log_message(self, *_: Any) -> None: ...

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=running.serve_forever, daemon=True).start()
    try:
        yield ClusterApi(content=_kubeconfig(f"http://127.0.0.1:{running.server_port}")), asked
    finally:
        running.shutdown()
        running.server_close()


def _kubeconfig(address: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "one",
        "contexts": [{"name": "one", "context": {"cluster": "one", "user": "me"}}],
        "clusters": [{"name": "one", "cluster": {"server": address}}],
        "users": [{"name": "me", "user": {}}],
    }


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_busy_server_is_asked_again_when_it_says(method: str) -> None:
    with server((429, {"Retry-After": "0"}), (429, {"Retry-After": "0"}), (200, {})) as (api, asked):
        answer = api.get("/api/v1/nodes") if method == "GET" else api.create("/api/v1/nodes", {})
    assert answer == {"items": []}
    assert asked == [f"{method} /api/v1/nodes"] * 3


def test_a_server_that_stays_busy_is_quoted() -> None:
    with (
        server((429, {"Retry-After": "0"})) as (api, asked),
        pytest.raises(RefusedError, match="storage is") as refused,
    ):
        api.get("/api/v1/nodes")
    assert refused.value.status == 429
    assert len(asked) == 6


@pytest.mark.parametrize("status", [403, 429, 500, 503])
def test_any_other_refusal_is_told_at_once(status: int) -> None:
    with server((status, {})) as (api, asked), pytest.raises(RefusedError) as refused:
        api.get("/api/v1/nodes")
    assert refused.value.status == status
    assert len(asked) == 1


def test_nobody_there_is_told_at_once() -> None:
    api = ClusterApi(content=_kubeconfig("http://127.0.0.1:9"))
    started = time.monotonic()
    with pytest.raises(ClusterError, match=r"^cluster unreachable at http://127\.0\.0\.1:9: .*refused"):
        api.get("/api/v1/nodes")
    assert time.monotonic() - started < 5
