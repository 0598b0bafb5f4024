"""Helm releases: values are recorded, nothing is templated."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from rehearsal.kubernetes.kinds import CHART_GROUPS
from rehearsal.schemas import Problem, load
from rehearsal.stand_in import Diff
from rehearsal.values import UNKNOWN, differences

TOKEN = "kubernetes:helm.sh/v3:Release"
API_VERSION = "helm.sh/v3"

_EXACT = re.compile(r"v?\d+\.\d+\.\d+([-+][\w.+-]+)?")


def problems(inputs: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Schema, exact version, and where the chart comes from."""
    found = list(load("kubernetes").problems(TOKEN, inputs))
    chart, version = inputs.get("chart"), inputs.get("version")
    if not (isinstance(version, str) and (version == UNKNOWN or _EXACT.fullmatch(version))):
        found.append(
            Problem("version", f"version must be exact (like 1.2.3), not {version!r}: a chart's newest release moves")
        )
    repository = (inputs.get("repositoryOpts") or {}).get("repo")
    if isinstance(chart, str) and chart != UNKNOWN and not chart.startswith("oci://") and not repository:
        words = f"chart {chart} has no repository: set repositoryOpts.repo, or name the chart as oci://…"
        found.append(Problem("repositoryOpts.repo", words))
    if isinstance(repository, str) and repository != UNKNOWN and not repository.startswith("https://"):
        found.append(
            Problem("repositoryOpts.repo", f"repositoryOpts.repo must be an https:// address, not {repository}")
        )
    return tuple(found)


def completed(
    urn: str, inputs: Mapping[str, Any], before: Mapping[str, Any] | None = None, namespace: str = "default"
) -> dict[str, Any]:
    """The inputs with the name and namespace that the provider chooses."""
    logical = urn.rsplit("::", 1)[-1].lower()
    own = (before or {}).get("name") or f"{logical}-{hashlib.sha256(urn.encode()).hexdigest()[:8]}"
    given = {name: value for name, value in inputs.items() if value is not None}
    return {"namespace": namespace, "name": own, **given}


def manifest(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The release as an object of the store."""
    metadata = {"name": inputs["name"], "namespace": inputs["namespace"]}
    return {"apiVersion": API_VERSION, "kind": "Release", "metadata": metadata, "spec": dict(inputs)}


def state(inputs: Mapping[str, Any], revision: int = 1) -> dict[str, Any]:
    """Inputs and outputs of a deployed release."""
    status = {
        "name": inputs["name"],
        "namespace": inputs["namespace"],
        "chart": chart_name(inputs),
        "version": inputs["version"],
        "appVersion": inputs["version"],
        "revision": revision,
        "status": "deployed",
    }
    return {**inputs, "status": status, "resourceNames": {}}


def diff(old: Mapping[str, Any], new: Mapping[str, Any]) -> Diff:
    """Everything but the release's name and namespace is an upgrade in place."""
    return Diff(changes=tuple(differences(old, new)), replaces=frozenset({"name", "namespace"}))


def chart_name(inputs: Mapping[str, Any]) -> str:
    """`karpenter` of `oci://…/karpenter`."""
    return str(inputs["chart"]).rsplit("/", 1)[-1]


def groups(inputs: Mapping[str, Any]) -> tuple[str, ...]:
    """The API groups whose CRDs this release brings."""
    return () if inputs.get("skipCrds") else CHART_GROUPS.get(chart_name(inputs), ())
