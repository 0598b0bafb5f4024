"""Helm releases on the rehearsal's real API server: a record as Helm keeps one, its CRDs, and doubles for its pods.

A record is written once everything else is there, so a release that failed or was killed is installed again.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from rehearsal.cluster.link import Link
from rehearsal.cluster.releases import CHARTS, installation, karpenter_environment
from rehearsal.kubernetes import helm
from rehearsal.kubernetes.cluster_crds import Crds
from rehearsal.kubernetes.discovery import Discovery
from rehearsal.kubernetes.store import Manifest, Ref

RECORD_TYPE = "helm.sh/release.v1"
RECORD_LABEL = "gpu-slices.rehearsal/release"
KARPENTER = "karpenter"
#: Charts whose own pods are no operands: Helm returns before what they start is rolled out.
_OPERATORS = frozenset({"gpu-operator"})
#: Helm's own default.
_TIMEOUT_SECONDS = 300.0


class Releases:
    """The releases of one cluster. A chart without a double is only recorded, with its CRDs."""

    def __init__(self, link: Link, discovery: Discovery) -> None:
        self._api, self._control = link.api, link.control
        self._crds = Crds(link.api, discovery)

    def install(self, manifest: Manifest) -> Manifest:
        """Installs a release and returns it as recorded; waits for its daemons unless it says skipAwait."""
        return self._bring(manifest, None)

    def upgrade(self, manifest: Manifest) -> Manifest:
        """The same over what an earlier revision installed."""
        return self._bring(manifest, self.read(Ref.of(manifest)))

    def uninstall(self, ref: Ref) -> None:
        """Takes away what the release brought, and its record."""
        found = self.read(ref)
        if found is None:
            return
        spec = found["spec"]
        if helm.chart_name(spec) == KARPENTER:
            self._control.stop_karpenter()
        elif helm.chart_name(spec) in CHARTS:
            self._control.uninstall_release(helm.chart_name(spec), **_identity(spec))
        self._crds.remove(helm.groups(spec))
        self._api.delete(_path(ref))

    def read(self, ref: Ref) -> Manifest | None:
        """The release as recorded."""
        found = self._api.find(_path(ref))
        return None if found is None else _opened(found)

    def all(self) -> tuple[Manifest, ...]:
        """Every release."""
        return tuple(_opened(one) for one in self._api.get("/api/v1/secrets", labelSelector=RECORD_LABEL)["items"])

    def _bring(self, manifest: Manifest, before: Manifest | None) -> Manifest:
        spec = manifest["spec"]
        chart = helm.chart_name(spec)
        self._crds.install(helm.groups(spec))
        if chart == KARPENTER:
            self._run_karpenter(spec, before)
        elif chart in CHARTS:
            self._run_daemons(chart, spec, before)
        revision = before["metadata"]["generation"] + 1 if before else 1
        recorded = {**manifest, "metadata": {**manifest["metadata"], "generation": revision}}
        self._api.apply(_path(Ref.of(manifest)), _record(recorded))
        return recorded

    def _run_karpenter(self, spec: Mapping[str, Any], before: Manifest | None) -> None:
        """Restarts it only for what its container would be told differently, as its Deployment does."""
        wanted = karpenter_environment(spec.get("values") or {})
        running = any(part.name == KARPENTER and part.state == "running" for part in self._control.status())
        if running and before and karpenter_environment(before["spec"].get("values") or {}) == wanted:
            return
        if running:
            self._control.stop_karpenter()
        self._control.start_karpenter(environment=wanted)

    def _run_daemons(self, chart: str, spec: Mapping[str, Any], before: Manifest | None) -> None:
        daemons = self._control.install_release(chart, **_identity(spec))
        if before:
            kept = {daemon.path for daemon in daemons}
            old = installation(chart, **_identity(before["spec"])).daemons
            for daemon in old:
                if daemon.path not in kept:
                    self._control.remove_daemon(daemon)
        if chart not in _OPERATORS and not spec.get("skipAwait"):
            seconds = float(spec.get("timeout") or _TIMEOUT_SECONDS)
            for daemon in daemons:
                self._control.wait_rolled_out(daemon, self._api, seconds=seconds)


def _identity(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": spec["name"], "namespace": spec["namespace"], "values": spec.get("values") or {}}


def _path(ref: Ref) -> str:
    return f"/api/v1/namespaces/{ref.namespace}/secrets/sh.helm.release.v1.{ref.name}"


def _record(release: Manifest) -> dict[str, Any]:
    metadata = release["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": RECORD_TYPE,
        "metadata": {
            "name": f"sh.helm.release.v1.{metadata['name']}",
            "namespace": metadata["namespace"],
            "labels": {RECORD_LABEL: metadata["name"]},
        },
        "data": {"release": base64.b64encode(json.dumps(release).encode()).decode()},
    }


def _opened(record: Mapping[str, Any]) -> Manifest:
    return json.loads(base64.b64decode(record["data"]["release"]))
