"""Errors that a person reads."""

from __future__ import annotations


class ClusterError(Exception):
    """The control plane, or something asked of it, failed; the message says what, with the end of the log that tells."""


class ApiError(ClusterError):
    """The API server refused a request. `status` is the HTTP status, `reason` Kubernetes' own word, `message` the rest."""

    def __init__(self, status: int, reason: str, message: str, *, request: str) -> None:
        super().__init__(f"{request}: {status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message
