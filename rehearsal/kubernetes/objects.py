"""Kubernetes objects: checks, names, replacement rules. Plain data, so that the recording monitor can use it too."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any

from rehearsal.kubernetes.kinds import CLUSTER_WIDE, CUSTOM, IMMUTABLE, REQUIRED
from rehearsal.schemas import Problem, load
from rehearsal.stand_in import Diff
from rehearsal.values import UNKNOWN, differences

AUTONAMED = "pulumi.com/autonamed"

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_LABEL = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
#: RBAC names may hold colons and capitals.
_FREE_NAMES = frozenset({"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"})


def api_version(token: str) -> str:
    """`v1` of `kubernetes:core/v1:ConfigMap`, `apps/v1` of `kubernetes:apps/v1:Deployment`."""
    return token.split(":")[1].removeprefix("core/")


def kind(token: str) -> str:
    """`ConfigMap` of `kubernetes:core/v1:ConfigMap`."""
    return token.split(":")[2]


def is_namespaced(token: str) -> bool:
    """Whether objects of this type live in a namespace."""
    custom = CUSTOM.get(_group(token), {}).get(kind(token))
    return custom.namespaced if custom else kind(token) not in CLUSTER_WIDE


def problems(token: str, inputs: Mapping[str, Any]) -> tuple[Problem, ...]:
    """What the provider or the API server would refuse. Raises LookupError for an unknown kind."""
    custom = CUSTOM.get(_group(token), {}).get(kind(token))
    found = () if custom else load("kubernetes").problems(token, inputs)
    required = custom.required if custom else REQUIRED.get(kind(token), ())
    missing = (Problem(path, f"missing required property {path}") for path in required if _at(inputs, path) is None)
    return tuple(dict.fromkeys((*found, *missing, *_metadata_problems(token, inputs.get("metadata") or {}))))


def _metadata_problems(token: str, metadata: Mapping[str, Any]) -> Iterator[Problem]:
    name = metadata.get("name")
    if isinstance(name, str) and name != UNKNOWN and kind(token) not in _FREE_NAMES and not _NAME.fullmatch(name):
        yield Problem("metadata.name", f"metadata.name {name!r} is not a lowercase RFC 1123 subdomain")
    if metadata.get("namespace") and not is_namespaced(token):
        yield Problem("metadata.namespace", f"{kind(token)} belongs to the cluster, it has no namespace")
    for key, value in (metadata.get("labels") or {}).items():
        if value != UNKNOWN and not (isinstance(value, str) and _LABEL.fullmatch(value)):
            yield Problem("metadata.labels", f"metadata.labels[{key}] {value!r} is not a label value")
    for key, value in (metadata.get("annotations") or {}).items():
        if value is not None and not isinstance(value, str):
            yield Problem("metadata.annotations", f"metadata.annotations[{key}] {value!r} is not a text")


def completed(
    token: str,
    urn: str,
    inputs: Mapping[str, Any],
    before: Mapping[str, Any] | None = None,
    namespace: str = "default",
    taken: Callable[[Mapping[str, Any]], bool] = lambda _manifest: False,
) -> dict[str, Any]:
    """The manifest with apiVersion, kind, and the name and namespace that the provider chooses.

    `before` are the inputs of the last update (none for a replacement); `taken` says whether such an object exists.
    """
    given = {name: value for name, value in inputs.items() if value is not None}
    metadata = dict(inputs.get("metadata") or {})
    if is_namespaced(token) and metadata.get("namespace") is None:
        metadata["namespace"] = namespace
    manifest = {**given, "apiVersion": api_version(token), "kind": kind(token), "metadata": metadata}
    if metadata.get("name") is not None or metadata.get("generateName"):
        return manifest
    annotations = {**(metadata.get("annotations") or {}), AUTONAMED: "true"}
    kept = (before or {}).get("metadata") or {}
    if (kept.get("annotations") or {}).get(AUTONAMED) == "true":
        return {**manifest, "metadata": {**metadata, "name": kept["name"], "annotations": annotations}}
    named = ({**manifest, "metadata": {**metadata, "name": name, "annotations": annotations}} for name in _names(urn))
    return next(candidate for candidate in named if not taken(candidate))


def _names(urn: str) -> Iterator[str]:
    """Names for an object that the program gives none, always the same ones for the same URN."""
    logical = urn.rsplit("::", 1)[-1].lower()
    for times in count():
        yield f"{logical}-{hashlib.sha256(f'{urn}#{times}'.encode()).hexdigest()[:8]}"


def identifier(manifest: Mapping[str, Any]) -> str:
    """The provider's id: `namespace/name`, or `name` for what belongs to the cluster."""
    metadata = manifest["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}" if metadata.get("namespace") else metadata["name"]


def state(manifest: Mapping[str, Any], urn: str) -> dict[str, Any]:
    """The object as the API server shows it after creation."""
    digest = hashlib.sha256(f"{urn}{identifier(manifest)}".encode()).hexdigest()
    uid = "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))
    server = {"uid": uid, "resourceVersion": "1", "creationTimestamp": "2026-01-01T00:00:00Z", "generation": 1}
    return {**manifest, "metadata": {**server, **manifest["metadata"]}}


def diff(token: str, old: Mapping[str, Any], new: Mapping[str, Any], mutable: frozenset[str] = frozenset()) -> Diff:
    """Changes and replacements; `mutable` are kinds (ConfigMap, Secret) that the provider may change in place.

    An object with a name of the program's own is deleted first, since two can't have it.
    """
    replaces = {"metadata.name", "metadata.namespace", "apiVersion", "kind"}
    if kind(token) not in mutable or old.get("immutable") is True:
        replaces |= IMMUTABLE.get(kind(token), frozenset())
    was, is_ = (_at(tree, "metadata.name") for tree in (old, new))
    ours = _at(new, "metadata.annotations", AUTONAMED) == "true"
    moved = _at(old, "metadata.namespace") != _at(new, "metadata.namespace")
    return Diff(
        changes=tuple(differences(old, new)),
        replaces=frozenset(replaces),
        delete_first=was == is_ and not (ours or moved),
    )


def _group(token: str) -> str:
    return api_version(token).rpartition("/")[0]


def _at(tree: Any, path: str, *names: str) -> Any:
    for name in (*path.split("."), *names):
        if tree == UNKNOWN:
            return UNKNOWN
        tree = tree.get(name) if isinstance(tree, Mapping) else None
    return tree
