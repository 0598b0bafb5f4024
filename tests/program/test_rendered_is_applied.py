"""`render` shows exactly what the program applies to the cluster: no object and no chart more, less or different."""

from __future__ import annotations

import re

import pytest
import yaml

from gpu_slices.charts import releases
from gpu_slices.cloud_refs import placeholders
from gpu_slices.render import render
from tests.support.recordings import RELEASE, objects_of, recording
from tests.support.stacks import STACKS, plan_of_stack

pytestmark = pytest.mark.parametrize("stack", STACKS)

_PLACEHOLDER = re.compile(r"\$\{[^}]+\}")


def matches(rendered, applied) -> bool:
    """Whether two values are equal; `${name}` stands for whatever only AWS knows."""
    if isinstance(rendered, dict) and isinstance(applied, dict):
        return rendered.keys() == applied.keys() and all(matches(rendered[key], applied[key]) for key in rendered)
    if isinstance(rendered, list) and isinstance(applied, list):
        return len(rendered) == len(applied) and all(map(matches, rendered, applied))
    if isinstance(rendered, str) and isinstance(applied, str) and _PLACEHOLDER.search(rendered):
        return re.fullmatch(".+".join(map(re.escape, _PLACEHOLDER.split(rendered))), applied) is not None
    return rendered == applied


def _key(manifest):
    metadata = manifest["metadata"]
    return manifest["apiVersion"], manifest["kind"], metadata.get("namespace"), metadata["name"]


def test_rendered_manifests_are_the_declared_objects(stack):
    files = render(plan_of_stack(stack)).items()
    rendered = {_key(m): m for m in (yaml.safe_load(text) for path, text in files if path.startswith("manifests/"))}
    declared = {_key(one.inputs): one.inputs for one in objects_of(recording(stack))}
    assert sorted(rendered, key=str) == sorted(declared, key=str)
    for key, manifest in rendered.items():
        assert matches(manifest, declared[key]), key


def test_rendered_releases_are_the_declared_releases(stack):
    plan = plan_of_stack(stack)
    files = render(plan)
    declared = {one.inputs["name"]: one.inputs for one in recording(stack).of(RELEASE)}
    assert sorted(f"releases/{name}.yaml" for name in declared) == sorted(p for p in files if p.startswith("releases/"))
    for name, inputs in declared.items():
        shown = yaml.safe_load(files[f"releases/{name}.yaml"])
        assert matches(shown["values"], inputs["values"]), name
        assert (shown["version"], shown["namespace"]) == (inputs["version"], inputs["namespace"])
        assert inputs["chart"] in (shown["chart"], f"{shown['repo']}/{shown['chart']}")


def test_a_release_is_declared_as_its_chart_module_says(stack):
    plan = plan_of_stack(stack)
    declared = {one.inputs["name"]: one.inputs for one in recording(stack).of(RELEASE)}
    for release in releases(plan, placeholders(plan)):
        inputs = declared.pop(release.name)
        assert inputs["timeout"] == release.timeout_seconds
        assert inputs["skipCrds"] == release.skip_crds
        assert (inputs["atomic"], inputs["skipAwait"]) == (False, False)
    assert declared == {}
