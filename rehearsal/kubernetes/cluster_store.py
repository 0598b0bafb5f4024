"""Kubernetes objects on the rehearsal's real API server: server-side apply, read back, its refusals as they are.

The official Python client would do the same; it takes 0.5 s and 60 MB to import, in each of the provider processes of
every operation, where `http_api` takes 0.1 s and 20 MB.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from typing_extensions import override

from rehearsal.account import Account
from rehearsal.cluster.errors import ApiError, ClusterError
from rehearsal.cluster.http_api import APPLY
from rehearsal.cluster.link import Link
from rehearsal.kubernetes import helm
from rehearsal.kubernetes.cluster_await import await_applied
from rehearsal.kubernetes.cluster_releases import Releases
from rehearsal.kubernetes.discovery import Discovery
from rehearsal.kubernetes.store import CLUSTER, Manifest, Ref, Store
from rehearsal.stand_in import Refused

FIELD_MANAGER = "pulumi-kubernetes"
#: How long a deletion may take: draining nodes is Karpenter's part, emptying namespaces the namespace controller's.
DELETE_SECONDS = 300.0
_POLL_SECONDS = 0.1
#: Written by the API server alone.
_SERVER_FIELDS = frozenset({"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"})


class ClusterStore(Store):
    """The API server behind the pretended cluster at `server`: one control plane plays one cluster."""

    def __init__(self, account: Account, server: str, link: Link) -> None:
        self._account = account
        self._server = server
        self._api = link.api
        self._discovery = Discovery(link.api)
        self._releases = Releases(link, self._discovery)

    @override
    def create(self, manifest: Manifest, urn: str) -> Manifest:
        """As the provider does with server-side apply: an object that is there already is taken over."""
        with self._asking():
            if _is_release(manifest):
                return self._releases.install(manifest)
            return self._apply(manifest)

    @override
    def read(self, ref: Ref) -> Manifest | None:
        if not self._is_there():
            return None
        with self._asking():
            if ref.api_version == helm.API_VERSION:
                return self._releases.read(ref)
            path = self._discovery.path(ref)
            found = self._api.find(path) if path else None
            return None if found is None else _shown(found)

    @override
    def update(self, manifest: Manifest, urn: str) -> Manifest:
        with self._asking():
            if _is_release(manifest):
                return self._releases.upgrade(manifest)
            return self._apply(manifest)

    @override
    def delete(self, ref: Ref) -> None:
        with self._asking():
            if ref.api_version == helm.API_VERSION:
                self._releases.uninstall(ref)
            elif path := self._discovery.path(ref):
                self._delete(ref, path)

    @override
    def of_kind(self, api_version: str, kind: str) -> tuple[Manifest, ...]:
        with self._asking():
            if api_version == helm.API_VERSION:
                return self._releases.all()
            resource = self._discovery.find(api_version, kind)
            items = self._api.get(resource.collection())["items"] if resource else []
            return tuple(_shown({"apiVersion": api_version, "kind": kind, **item}) for item in items)

    def _apply(self, manifest: Manifest) -> Manifest:
        ref = Ref.of(manifest)
        path = self._discovery.path(ref)
        if path is None:
            raise Refused(f'no matches for kind "{ref.kind}" in version "{ref.api_version}"')
        body = _wanted(manifest)
        stored = self._api.call("PATCH", path, body, content=APPLY, fieldManager=FIELD_MANAGER)
        return _shown(await_applied(stored, lambda: self._api.find(path)))

    def _delete(self, ref: Ref, path: str) -> None:
        """Deletes what depends on it first, and waits until it is gone, as the provider does."""
        before = self._api.find(path)
        if before is None:
            return
        self._api.delete(path, propagationPolicy="Foreground")
        deadline = time.monotonic() + DELETE_SECONDS
        while (found := self._api.find(path)) and found["metadata"]["uid"] == before["metadata"]["uid"]:
            if time.monotonic() > deadline:
                held = ", ".join(found["metadata"].get("finalizers") or []) or "nothing that it says"
                words = (
                    f"{ref.kind} {ref.name} is still there {DELETE_SECONDS:.0f} s after its deletion, held by {held}"
                )
                raise Refused(words)
            time.sleep(_POLL_SECONDS)

    def _is_there(self) -> bool:
        return self._account.find(CLUSTER, self._server) is not None

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """The API server's refusal, or the supervisor's, in one line."""
        if not self._is_there():
            where = self._server or "nowhere"
            raise Refused(f"configured Kubernetes cluster is unreachable: no cluster answers at {where}")
        try:
            yield
        except ApiError as error:
            raise Refused(_one_line(error.message or str(error))) from None
        except ClusterError as error:
            raise Refused(_one_line(str(error))) from None


def _is_release(manifest: Manifest) -> bool:
    return manifest["apiVersion"] == helm.API_VERSION


def _wanted(manifest: Manifest) -> dict[str, Any]:
    """What we say of an object: neither status nor what the API server writes."""
    metadata = {name: value for name, value in manifest["metadata"].items() if name not in _SERVER_FIELDS}
    return {**{name: value for name, value in manifest.items() if name != "status"}, "metadata": metadata}


def _shown(stored: Mapping[str, Any]) -> Manifest:
    """The object without the list of who wrote which field."""
    metadata = {name: value for name, value in stored["metadata"].items() if name != "managedFields"}
    return {**stored, "metadata": metadata}


def _one_line(words: str) -> str:
    return " ".join(words.split())
