"""The control channel: JSON lines over a Unix socket in the control plane's private folder.

A request is {"do": COMMAND, "with": {ARGUMENT: VALUE}}; the answer {"result": VALUE} or {"error": TEXT}. Any number of
processes may talk at once; a connection may carry any number of requests.
"""

from __future__ import annotations

import json
import socket
import socketserver
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rehearsal.cluster.errors import ClusterError

Run = Callable[[str, Mapping[str, Any]], Any]


def serve(path: Path, run: Run) -> None:
    """Answer requests on `path` with `run`, each connection in a thread that ends with the process."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            for line in self.rfile:
                self.wfile.write(json.dumps(_answer(run, line)).encode() + b"\n")

    class Server(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True
        request_queue_size = 64

    server = Server(str(path), Handler)
    threading.Thread(target=server.serve_forever, name="control", daemon=True).start()


def ask(path: Path, command: str, arguments: Mapping[str, Any], *, timeout: float) -> Any:
    """Send one request and return its result; ClusterError with the supervisor's words, or when there is none."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout)
            connection.connect(str(path))
            connection.sendall(json.dumps({"do": command, "with": dict(arguments)}).encode() + b"\n")
            line = connection.makefile("rb").readline()
    except OSError as error:
        raise ClusterError(f"{command}: no control plane answers at {path}: {error}") from None
    if not line:
        raise ClusterError(f"{command}: the control plane ended before it answered")
    answer = json.loads(line)
    if "error" in answer:
        raise ClusterError(answer["error"])
    return answer["result"]


def _answer(run: Run, line: bytes) -> dict[str, Any]:
    try:
        request = json.loads(line)
        return {"result": run(request["do"], request.get("with") or {})}
    except ClusterError as error:
        return {"error": str(error)}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
