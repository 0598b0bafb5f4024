"""The kubelet's own API, as far as `kubectl logs` needs it: one server answers for every node."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from rehearsal.cluster.credentials import LOOPBACK

#: namespace, pod → what its container printed; None where there is no such pod.
Printed = Callable[[str, str], str | None]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, context: ssl.SSLContext, printed: Printed) -> None:
        self._context = context
        self.printed = printed
        super().__init__((LOOPBACK, 0), _Handler)

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        connection, address = super().get_request()
        # The handshake belongs to the connection's thread: a slow peer must not hold up the others.
        return self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request: object, client_address: object) -> None:
        """A peer that hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        """`/containerLogs/NAMESPACE/POD/CONTAINER`."""
        parts = self.path.partition("?")[0].strip("/").split("/")
        text = self.server.printed(parts[1], parts[2]) if len(parts) == 4 and parts[0] == "containerLogs" else None
        body = (text if text is not None else "not found\n").encode()
        self.send_response(404 if text is None else 200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Requests are not logged."""


def serve(certificate: Path, key: Path, printed: Printed) -> int:
    """Start the server in threads of its own and return its port; it ends with the process."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = _Server(context, printed)
    threading.Thread(target=server.serve_forever, name="kubelet-api", daemon=True).start()
    return int(server.server_address[1])
