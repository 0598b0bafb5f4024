"""Where the API server keeps the objects of a kind: read from the server itself, once per group and version."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rehearsal.cluster.errors import ApiError
from rehearsal.cluster.http_api import Api
from rehearsal.kubernetes.store import Ref


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One kind as the API server serves it."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool
    listable: bool

    def collection(self, namespace: str = "") -> str:
        """URL path of all objects, or of those in a namespace."""
        root = _root(self.api_version)
        return f"{root}/namespaces/{namespace}/{self.plural}" if namespace else f"{root}/{self.plural}"


class Discovery:
    """The kinds of one API server. What it did not serve yet is asked for again."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._known: dict[tuple[str, str], Resource] = {}

    def find(self, api_version: str, kind: str) -> Resource | None:
        """The kind, or None where the API server does not serve it."""
        if (api_version, kind) not in self._known:
            for resource in self.served(api_version):
                self._known[api_version, resource.kind] = resource
        return self._known.get((api_version, kind))

    def path(self, ref: Ref) -> str | None:
        """URL path of one object, None where its kind is not served."""
        resource = self.find(ref.api_version, ref.kind)
        if resource is None:
            return None
        return f"{resource.collection(ref.namespace if resource.namespaced else '')}/{ref.name}"

    def served(self, api_version: str) -> tuple[Resource, ...]:
        """Every kind of a group and version; none where it is not served."""
        try:
            listing = self._api.get(_root(api_version))
        except ApiError as error:
            if error.status == 404:
                return ()
            raise
        return tuple(
            Resource(
                api_version=api_version,
                kind=one["kind"],
                plural=one["name"],
                namespaced=one["namespaced"],
                listable="list" in one["verbs"],
            )
            for one in listing["resources"]
            if "/" not in one["name"]
        )

    def versions(self) -> Iterator[str]:
        """Every group's preferred version."""
        yield "v1"
        for group in self._api.get("/apis")["groups"]:
            yield group["preferredVersion"]["groupVersion"]


def _root(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
