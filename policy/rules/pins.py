"""Charts and machine images are pinned: the same program brings the same cluster tomorrow."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from .nodes import NODE_GROUP
from .rule import Resource, ResourceRule, Scope

RELEASE: Final = "kubernetes:helm.sh/v3:Release"
NODE_CLASS: Final = "kubernetes:karpenter.k8s.aws/v1:EC2NodeClass"
LAUNCH_TEMPLATE: Final = "aws:ec2/launchTemplate:LaunchTemplate"

#: Semantic versions as Helm reads them, without the ranges it also reads (`^1.2`, `1.x`, `>=1`).
_EXACT: Final = re.compile(r"v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
_LATEST: Final = "latest"


def charts(resource: Resource, _scope: Scope) -> Iterator[str]:
    """A chart from a repository names one exact version; a chart in a local folder is pinned by the folder."""
    if resource.type != RELEASE:
        return
    chart, version = resource.inputs.get("chart") or "", resource.inputs.get("version")
    if chart.startswith(("./", "../", "/")):
        return
    if not version:
        yield f"release {resource.name} takes whatever version of {chart} is newest: name one"
    elif not _EXACT.fullmatch(version):
        yield f'release {resource.name} takes any version of {chart} in "{version}": name one, such as 1.2.3'


def images(resource: Resource, scope: Scope) -> Iterator[str]:
    """Karpenter's images by a dated alias or an id; launch templates by an id; node groups where it is asked for."""
    inputs = resource.inputs
    if resource.type == NODE_CLASS:
        for term in (inputs.get("spec") or {}).get("amiSelectorTerms") or ():
            if problem := _unpinned(term):
                yield f"EC2NodeClass {resource.name} {problem}"
    elif resource.type == LAUNCH_TEMPLATE and (inputs.get("imageId") or "").startswith("resolve:"):
        yield f"launch template {resource.name} looks its image up at every launch: name an ami- id"
    elif resource.type == NODE_GROUP and scope.config["nodeGroupReleases"] and not inputs.get("releaseVersion"):
        yield f"node group {resource.name} leaves its image release to EKS: set amiRelease"


def _unpinned(term: Mapping[str, Any]) -> str | None:
    alias = term.get("alias")
    if term.get("id"):
        return None
    if alias is None:
        return "selects images by name or tag, so that a new one replaces nodes: name an alias with a date, or an id"
    family, _, version = alias.partition("@")
    if version and version != _LATEST:
        return None
    return f"takes {alias}, which moves: write {family} with a date, such as {family}@v20260714"


RULES = (
    ResourceRule(
        name="charts-pinned",
        description="Helm charts are pinned to one exact version.",
        check=charts,
    ),
    ResourceRule(
        name="images-pinned",
        description="Machine images (AMIs) are pinned: nodes change only when somebody changes the pin.",
        check=images,
        config={
            "nodeGroupReleases": {
                "type": "boolean",
                "description": "Managed node groups must name their AMI release too; without it EKS holds the one it chose.",
                "default": False,
            }
        },
    ),
)
