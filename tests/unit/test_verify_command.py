"""The commands on a live cluster say in one line what cannot be, and create nothing."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from gpu_slices.cli.main import main

STACK = ["--file", str(Path(__file__).parents[2] / "Pulumi.dev.yaml")]


class _Refusing(http.server.BaseHTTPRequestHandler):
    seen: list[str]

    def do_GET(self) -> None:
        """An API server that knows nobody."""
        type(self).seen.append(self.command)
        body = json.dumps({"kind": "Status", "message": "Unauthorized", "code": 401}).encode()
        self.send_response(401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def refusing() -> Iterator[tuple[str, list[str]]]:
    handler = type("Handler", (_Refusing,), {"seen": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", handler.seen
    server.shutdown()
    server.server_close()


def _kubeconfig(folder: Path, server: str) -> str:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "here", "cluster": {"server": server}}],
        "users": [{"name": "me", "user": {"token": "stale"}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
    }
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    return str(file)


@pytest.mark.parametrize("command", ["verify", "doctor", "status"])
def test_an_unreachable_cluster_is_one_line(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kubeconfig = _kubeconfig(tmp_path, "http://127.0.0.1:9")
    assert main([command, *STACK, "--kubeconfig", kubeconfig]) == 2
    words = capsys.readouterr().err.strip().splitlines()[-1]
    assert words.startswith("cluster unreachable at http://127.0.0.1:9:")
    assert "refused" in words


@pytest.mark.parametrize("command", ["verify", "doctor", "status"])
def test_expired_credentials_are_one_line_and_nothing_is_created(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], refusing: tuple[str, list[str]]
) -> None:
    server, seen = refusing
    assert main([command, *STACK, "--kubeconfig", _kubeconfig(tmp_path, server)]) == 2
    assert "expired or refused" in capsys.readouterr().err.strip().splitlines()[-1]
    assert seen == ["GET"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--pool", "l40"], "stack dev has no GPU pool 'l40': did you mean \"l40s\"?"),
        (["--kubeconfig", "nowhere"], "nowhere: there is no such kubeconfig"),
        (["--context", "other", "--kubeconfig", "KUBECONFIG"], "kubeconfig: "),
    ],
)
def test_wrong_input_is_one_line(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [_kubeconfig(tmp_path, "http://127.0.0.1:9") if one == "KUBECONFIG" else one for one in arguments]
    assert main(["verify", *STACK, *given]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert words in line


def test_a_stack_without_gpu_pools_has_nothing_to_verify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "Pulumi.bare.yaml"
    file.write_text("config:\n  aws:region: us-west-2\n")
    assert main(["verify", "--file", str(file)]) == 2
    assert "bare has no GPU pool" in capsys.readouterr().err
