"""The kubernetes stand-in over a Store."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from typing_extensions import override

from rehearsal.kubernetes import helm, objects
from rehearsal.kubernetes.kinds import CUSTOM
from rehearsal.kubernetes.store import Manifest, Ref, Store
from rehearsal.schemas import Problem, load
from rehearsal.stand_in import Diff, Refused, StandIn, parsed
from rehearsal.values import UNKNOWN, Difference

PROVIDER = "pulumi:providers:kubernetes"


class Kubernetes(StandIn):
    """Answers for kubernetes, over whatever API server `store` opens."""

    package = "kubernetes"

    def __init__(self, store: Callable[[str], Store], version: str = "") -> None:
        """`store` gives the API server behind a kubeconfig's server address."""
        self.version = version
        self._open = store
        self._store = store("")
        self._namespace = "default"
        self._mutable: frozenset[str] = frozenset()

    @override
    def check_config(self, config: Mapping[str, Any]) -> tuple[Problem, ...]:
        return load("kubernetes").problems(
            PROVIDER,
            {name: parsed({name: v})[name] for name, v in config.items() if name not in ("kubeconfig", "version")},
        )

    @override
    def diff_config(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> Diff:
        """Another cluster replaces the provider and all that it made; a new token for the same one does not."""
        identity = ("clusterIdentifier",) if new.get("clusterIdentifier") else ("kubeconfig",)
        names = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
        changes = tuple(Difference(name, "update") for name in names)
        same = new.get("kubeconfig") != UNKNOWN and server(old.get("kubeconfig")) == server(new.get("kubeconfig"))
        moved = not same if identity == ("kubeconfig",) else "clusterIdentifier" in names and "clusterIdentifier" in old
        return Diff(changes=changes, replaces=frozenset(identity if moved else ()))

    @override
    def configure(self, config: Mapping[str, Any]) -> None:
        self._store = self._open(server(config.get("kubeconfig")))
        settings = parsed({name: value for name, value in config.items() if name != "kubeconfig"})
        self._namespace = settings.get("namespace") or "default"
        switches = {"ConfigMap": "enableConfigMapMutable", "Secret": "enableSecretMutable"}
        self._mutable = frozenset(kind for kind, switch in switches.items() if settings.get(switch) is True)

    @override
    def check(
        self, token: str, urn: str, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> tuple[Mapping[str, Any], tuple[Problem, ...]]:
        if token == helm.TOKEN:
            return helm.completed(urn, new, old, self._namespace), helm.problems(new)
        problems = objects.problems(token, new)
        return objects.completed(token, urn, new, old, self._namespace, self._exists), problems

    @override
    def diff(
        self, token: str, urn: str, old: Mapping[str, Any], new: Mapping[str, Any], state: Mapping[str, Any]
    ) -> Diff:
        return helm.diff(old, new) if token == helm.TOKEN else objects.diff(token, old, new, self._mutable)

    @override
    def create(self, token: str, urn: str, inputs: Mapping[str, Any], preview: bool) -> tuple[str, Mapping[str, Any]]:
        if preview:
            unknown = ("status", "resourceNames") if token == helm.TOKEN else ("status",)
            return "", {**dict.fromkeys(unknown, UNKNOWN), **inputs}
        if token == helm.TOKEN:
            return self._install(urn, inputs)
        self._refuse_kind(token)
        stored = self._store.create(objects.state(inputs, urn), urn)
        return objects.identifier(stored), stored

    def _exists(self, manifest: Manifest) -> bool:
        return self._store.read(Ref.of(manifest)) is not None

    def _install(self, urn: str, inputs: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        release = helm.manifest(inputs)
        if self._store.read(Ref.of(release)):
            raise Refused("cannot re-use a name that is still in use")
        if inputs.get("createNamespace") and self._store.read(_namespace(inputs["namespace"])) is None:
            # Helm makes it and leaves it: nobody deletes it afterwards, as on a real cluster.
            self._store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": inputs["namespace"]}}, "")
        self._store.create(release, urn)
        return objects.identifier(release), helm.state(inputs)

    @override
    def read(self, token: str, urn: str, id_: str, state: Mapping[str, Any]) -> Mapping[str, Any] | None:
        stored = self._store.read(_ref(token, id_))
        if stored is None or token != helm.TOKEN:
            return stored
        return helm.state(stored["spec"], stored["metadata"]["generation"])

    @override
    def update(
        self, token: str, urn: str, id_: str, inputs: Mapping[str, Any], state: Mapping[str, Any], preview: bool
    ) -> Mapping[str, Any]:
        if token == helm.TOKEN:
            if preview:
                return {**inputs, "status": UNKNOWN, "resourceNames": UNKNOWN}
            stored = self._store.update(helm.manifest(inputs), urn)
            return helm.state(inputs, stored["metadata"]["generation"])
        shown = objects.state(inputs, urn)
        return shown if preview else self._store.update(shown, urn)

    @override
    def delete(self, token: str, urn: str, id_: str, state: Mapping[str, Any]) -> None:
        ref = _ref(token, id_)
        if token == helm.TOKEN and (stored := self._store.read(ref)):
            self._refuse_orphans(ref, stored)
        self._store.delete(ref)

    def _refuse_kind(self, token: str) -> None:
        """A custom kind needs the release or the CRD that brings it."""
        group = objects.api_version(token).rpartition("/")[0]
        if group in CUSTOM and group not in self._groups():
            words = f'no matches for kind "{objects.kind(token)}" in version "{objects.api_version(token)}"'
            raise Refused(f"{words}: its CRD is not installed yet")

    def _refuse_orphans(self, ref: Ref, stored: Manifest) -> None:
        """CRDs go with the chart that templates them, and with them objects whose finalizers nobody serves any more."""
        for group in set(helm.groups(stored["spec"])) - set(self._groups(without=ref)):
            for kind in CUSTOM[group]:
                if left := self._store.of_kind(f"{group}/v1", kind):
                    names = ", ".join(sorted(manifest["metadata"]["name"] for manifest in left))
                    raise Refused(f"release {ref.name} brings the CRD of {kind}, and {names} still exists")

    def _groups(self, without: Ref | None = None) -> frozenset[str]:
        """The custom groups that this cluster knows."""
        releases = self._store.of_kind(helm.API_VERSION, "Release")
        brought = {g for r in releases if Ref.of(r) != without for g in helm.groups(r["spec"])}
        crds = self._store.of_kind("apiextensions.k8s.io/v1", "CustomResourceDefinition")
        return frozenset(brought | {crd["spec"]["group"] for crd in crds})


def server(kubeconfig: object) -> str:
    """The API server's address in a kubeconfig (text, or a path to a file); "" without one, or one that can't be read."""
    text = kubeconfig if isinstance(kubeconfig, str) else json.dumps(kubeconfig) if kubeconfig else ""
    text = text or os.environ.get("KUBECONFIG", "")
    if text and "\n" not in text and not text.lstrip().startswith("{") and Path(text).is_file():
        text = Path(text).read_text()
    if not text or text == UNKNOWN:
        return ""
    try:
        tree = json.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
        return tree["clusters"][0]["cluster"]["server"]
    except (ValueError, yaml.YAMLError, KeyError, IndexError, TypeError):
        return ""  # as the real provider: a useless kubeconfig is an unreachable cluster


def _ref(token: str, id_: str) -> Ref:
    namespace, _, name = id_.rpartition("/")
    return Ref(api_version=objects.api_version(token), kind=objects.kind(token), name=name, namespace=namespace)


def _namespace(name: str) -> Ref:
    return Ref(api_version="v1", kind="Namespace", name=name)
