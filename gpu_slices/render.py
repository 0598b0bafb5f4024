"""Every Kubernetes object and Helm release of a plan as files. Same plan, same bytes."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from .charts import Release, releases
from .cloud_refs import placeholders
from .manifests import objects
from .manifests.monitoring import dashboard_text
from .monitoring.dashboards import DASHBOARDS
from .plan import Plan


def render(plan: Plan) -> dict[str, str]:
    """Relative path → text: `manifests/<kind>-[<namespace>-]<name>.yaml` and `releases/<name>.yaml`, and with monitoring
    `dashboards/<uid>.json`, for a Grafana of one's own."""
    refs = placeholders(plan)
    files = {f"manifests/{_file_name(manifest)}.yaml": _yaml(manifest) for manifest in objects(plan, refs)}
    files |= {f"releases/{release.name}.yaml": _yaml(_release(release)) for release in releases(plan, refs)}
    if plan.settings.monitoring.enabled:
        files |= {f"dashboards/{one.uid}.json": dashboard_text(one) for one in DASHBOARDS}
    return dict(sorted(files.items()))


def write_files(files: Mapping[str, str], folder: Path) -> None:
    """Writes the files; what an earlier render left in their folders goes. Raises OSError."""
    for part in ("dashboards", "manifests", "releases"):
        shutil.rmtree(folder / part, ignore_errors=True)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _file_name(manifest: Mapping[str, Any]) -> str:
    metadata = manifest["metadata"]
    parts = (manifest["kind"].lower(), metadata.get("namespace"), metadata["name"])
    return "-".join(part for part in parts if part)


def _release(release: Release) -> dict[str, Any]:
    content = {
        "name": release.name,
        "chart": release.pin.chart,
        "repo": release.pin.repo,
        "version": release.pin.version,
        "namespace": release.namespace,
        "values": release.values,
    }
    return {**content, "skipCrds": True} if release.skip_crds else content


class _Dumper(yaml.SafeDumper):
    """Long texts as blocks, and no `&id001` where two places share a value."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def _yaml(content: Mapping[str, Any]) -> str:
    return yaml.dump(dict(content), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
