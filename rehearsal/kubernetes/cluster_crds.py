"""The custom resource definitions that a chart brings: the real ones where we have them, else without a schema."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from rehearsal.cluster import crds
from rehearsal.cluster.errors import ClusterError
from rehearsal.cluster.http_api import Api
from rehearsal.cluster.programs import BIN
from rehearsal.kubernetes.discovery import Discovery
from rehearsal.kubernetes.kinds import CUSTOM, CustomKind

FOLDER = BIN / "crds"
READY_SECONDS = 30.0
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Crds:
    """Installs and removes the definitions of whole API groups."""

    def __init__(self, api: Api, discovery: Discovery, folder: Path = FOLDER) -> None:
        self._api, self._discovery, self._folder = api, discovery, folder

    def install(self, groups: Sequence[str]) -> None:
        """Applies them and waits until the API server serves every kind. Raises ClusterError when it does not."""
        wanted = [definition for group in groups for definition in self._definitions(group)]
        for definition in wanted:
            self._api.apply(f"{crds.PATH}/{definition['metadata']['name']}", definition)
        deadline = time.monotonic() + READY_SECONDS
        missing = wanted
        while missing := [definition for definition in missing if not self._is_served(definition)]:
            if time.monotonic() > deadline:
                names = ", ".join(definition["metadata"]["name"] for definition in missing)
                raise ClusterError(f"the API server does not serve {names} after {READY_SECONDS:g} s")
            time.sleep(0.05)

    def remove(self, groups: Sequence[str]) -> None:
        """Deletes them, and with them all their objects."""
        for group in groups:
            for definition in self._definitions(group):
                self._api.delete(f"{crds.PATH}/{definition['metadata']['name']}")

    def _definitions(self, group: str) -> list[dict[str, Any]]:
        files = sorted(self._folder.glob(f"{group}_*.yaml"))
        if files:
            return [yaml.load(file.read_text(), Loader=_LOADER) for file in files]
        return [_without_schema(group, kind, custom) for kind, custom in sorted(CUSTOM.get(group, {}).items())]

    def _is_served(self, definition: dict[str, Any]) -> bool:
        spec = definition["spec"]
        versions = [f"{spec['group']}/{version['name']}" for version in spec["versions"] if version["served"]]
        return all(self._discovery.find(version, spec["names"]["kind"]) for version in versions)


def _without_schema(group: str, kind: str, custom: CustomKind) -> dict[str, Any]:
    """A definition that takes any content: these charts' own are not among the pinned modules."""
    plural = f"{kind.lower()[:-1]}ies" if kind.endswith("y") else f"{kind.lower()}s"
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "names": {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()},
            "scope": "Namespaced" if custom.namespaced else "Cluster",
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": anything}}],
        },
    }
