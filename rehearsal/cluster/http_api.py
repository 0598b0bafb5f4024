"""The Kubernetes API over plain HTTP: what the doubles need, at a fifth of the official client's start and memory."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3

from rehearsal.cluster.errors import ApiError, ClusterError

Object = dict[str, Any]
Event = tuple[str, Object]  # ADDED, MODIFIED or DELETED, and the object
MERGE, STRATEGIC, APPLY = (
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)
FIELD_MANAGER = "gpu-slices-rehearsal"
WATCH_SECONDS = 300
GONE = 410


class Api:
    """One API server (https://...) as one user; `authority` is the certificate to trust. Threads may share it."""

    def __init__(self, *, server: str, authority: Path, token: str) -> None:
        self.server = server
        self._token = token
        self._pool = urllib3.PoolManager(ca_certs=str(authority), maxsize=16, retries=False)

    def call(
        self, method: str, path: str, body: object = None, *, content: str = "application/json", **query: str
    ) -> Object:
        """Send one request and return the decoded answer; ApiError when refused, ClusterError when unreachable."""
        url = f"{self.server}{path}{'?' + urlencode(query) if query else ''}"
        data = None if body is None else json.dumps(body).encode()
        try:
            answer = self._pool.request(method, url, body=data, headers=self._headers(content), timeout=30.0)
        except urllib3.exceptions.HTTPError as error:
            raise ClusterError(f"{method} {path}: the API server cannot be reached: {error}") from None
        if answer.status >= 400:
            raise _refusal(answer.status, answer.data, request=f"{method} {path}")
        decoded: Object = answer.json() if answer.headers.get("Content-Type", "").startswith("application/json") else {}
        return decoded

    def get(self, path: str, **query: str) -> Object:
        """GET."""
        return self.call("GET", path, **query)

    def find(self, path: str) -> Object | None:
        """GET, or None where there is nothing."""
        try:
            return self.call("GET", path)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def create(self, path: str, body: Mapping[str, Any]) -> Object:
        """POST to a collection."""
        return self.call("POST", path, body)

    def patch(self, path: str, body: Mapping[str, Any], *, content: str = STRATEGIC) -> Object:
        """PATCH, as a strategic merge where nothing else is said."""
        return self.call("PATCH", path, body, content=content)

    def apply(self, path: str, body: Mapping[str, Any]) -> Object:
        """Server-side apply to the object's own path: create or update, ours wins."""
        return self.call("PATCH", path, body, content=APPLY, fieldManager=FIELD_MANAGER, force="true")

    def delete(self, path: str, **query: str) -> bool:
        """DELETE; False where there was nothing."""
        try:
            self.call("DELETE", path, **query)
        except ApiError as error:
            if error.status == 404:
                return False
            raise
        return True

    def is_ready(self) -> bool:
        """Whether the API server answers /readyz with ok."""
        try:
            self.call("GET", "/readyz")
        except ClusterError:
            return False
        return True

    def follow(self, path: str, **query: str) -> Iterator[Event]:
        """Yield every object of a collection and then its changes, for ever; across restarts of the API server too."""
        known: dict[str, Object] = {}
        while True:
            try:
                listing = self.get(path, **query)
                yield from _differences(known, listing.get("items") or [])
                known = {_uid(item): item for item in listing.get("items") or []}
                for kind, item in self._watch(path, listing["metadata"]["resourceVersion"], query):
                    if kind == "DELETED":
                        known.pop(_uid(item), None)
                    else:
                        known[_uid(item)] = item
                    yield kind, item
            except (ClusterError, urllib3.exceptions.HTTPError, ValueError):
                time.sleep(0.2)

    def _watch(self, path: str, version: str, query: Mapping[str, str]) -> Iterator[Event]:
        parameters = {**query, "watch": "1", "resourceVersion": version, "timeoutSeconds": str(WATCH_SECONDS)}
        answer = self._pool.request(
            "GET",
            f"{self.server}{path}?{urlencode(parameters)}",
            headers=self._headers("application/json"),
            preload_content=False,
            timeout=urllib3.Timeout(connect=5.0, read=WATCH_SECONDS + 30.0),
        )
        try:
            if answer.status >= 400:
                raise _refusal(answer.status, answer.read(), request=f"watch {path}")
            for line in _lines(answer):
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return
                if event["type"] != "BOOKMARK":
                    yield event["type"], event["object"]
        finally:
            answer.close()

    def _headers(self, content: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}", "Content-Type": content, "Accept": "application/json"}


def _lines(answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    rest = b""
    for chunk in answer.stream(64 * 1024, decode_content=True):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines


def _differences(known: Mapping[str, Object], items: list[Object]) -> Iterator[Event]:
    present = {_uid(item) for item in items}
    yield from (("DELETED", item) for uid, item in known.items() if uid not in present)
    yield from (("MODIFIED" if _uid(item) in known else "ADDED", item) for item in items)


def _uid(item: Object) -> str:
    return str(item["metadata"]["uid"])


def _refusal(status: int, data: bytes, *, request: str) -> ApiError:
    try:
        decoded = json.loads(data)
        reason, message = str(decoded.get("reason", "")), str(decoded.get("message", ""))
    except ValueError:
        reason, message = "", data.decode(errors="replace")[:500]
    return ApiError(status, reason, message, request=request)
