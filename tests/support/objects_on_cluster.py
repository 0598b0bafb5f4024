"""Manifests onto an API server, and pods held against it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rehearsal.cluster.errors import ApiError
from rehearsal.cluster.http_api import Api
from rehearsal.kubernetes.discovery import Discovery
from rehearsal.kubernetes.store import Ref


def apply_all(api: Api, manifests: Iterable[Mapping[str, Any]]) -> None:
    """Server-side apply of every manifest whose kind the API server serves."""
    discovery = Discovery(api)
    for manifest in manifests:
        path = discovery.path(Ref.of(manifest))
        if path is not None:
            api.apply(path, manifest)


def tried(api: Api, manifest: Mapping[str, Any]) -> str:
    """What the API server says to a manifest without making it: empty where it would take it."""
    path = Discovery(api).path(Ref.of(manifest))
    assert path is not None
    try:
        api.create(f"{path.rpartition('/')[0]}?dryRun=All", manifest)
    except ApiError as error:
        return error.message
    return ""
