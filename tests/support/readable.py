"""What a refusal must read like, and what everything that is rendered must look like."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import jsonschema
import yaml

from gpu_slices.cloud_refs import CloudRefs
from gpu_slices.manifests import objects
from gpu_slices.plan import Plan
from gpu_slices.settings.mistakes import Mistake
from tests.support.stacks import ROOT

#: Words that only a Python programmer would understand, or that say nothing.
_FOREIGN = re.compile(
    r"Traceback|<class|object at 0x|\bNone\b|\bTrue\b|\bFalse\b|datetime\.|pydantic|dict_|frozenset|Error\b"
    r"|\b[Ii]nput should|\bvalid (?:string|integer|dictionary)|\bb'[a-z]+' is|see the key's description"
)
#: What an image, a chart or a release is pinned by.
_PINNED_IMAGE = re.compile(r".+(?::v?[0-9][\w.-]*|@sha256:[0-9a-f]{64})")
_PINNED_CHART = re.compile(r"v?[0-9]+\.[0-9]+\.[0-9]+")
_NAME = re.compile(r"[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?")
_LABEL = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
#: What AWS will have said once the stack is up.
REFS = CloudRefs(
    instance_profile="karpenter-nodes",
    private_subnet_ids=["subnet-0123456789abcdef0"],
    cluster_security_group_id="sg-0123456789abcdef0",
    interruption_queue="queue",
)


def assert_readable(mistakes: Sequence[Mistake]) -> None:
    """At least one mistake; each names a key, says what is wrong and what to write, on one line, in people's words."""
    assert mistakes
    assert list(mistakes) == sorted(set(mistakes))
    for mistake in mistakes:
        assert mistake.path, mistake
        assert mistake.problem, mistake
        assert mistake.remedy, mistake
        assert "\n" not in str(mistake), mistake
        assert_words_are_readable(f"{mistake.problem}; {mistake.remedy}")


def assert_words_are_readable(words: str) -> None:
    """No word of Python or of a library, and not a page of them."""
    assert not _FOREIGN.search(words), words
    assert len(words) <= 600, words


def assert_pinned_and_wellformed(files: Mapping[str, str]) -> None:
    """Rendered files: YAML, with names and labels that Kubernetes takes, charts and images of exact versions."""
    for name, text in files.items():
        content = yaml.load(text, Loader=yaml.CSafeLoader)
        if name.startswith("releases/"):
            assert _PINNED_CHART.fullmatch(content["version"]), f"{name}: {content['version']}"
            continue
        if name.startswith("dashboards/"):
            assert content["uid"] == name.removeprefix("dashboards/").removesuffix(".json")
            continue
        metadata = content["metadata"]
        assert _NAME.fullmatch(metadata["name"]), f"{name}: {metadata['name']}"
        for value in (metadata.get("labels") or {}).values():
            assert _LABEL.fullmatch(value), f"{name}: {value}"
        for path, value in _texts(content):
            assert not path.endswith(".image") or _PINNED_IMAGE.fullmatch(value), f"{name}{path}: {value}"
            assert not value.endswith((":latest", "@latest")), f"{name}{path}: {value}"


def assert_fits_the_crds(plan: Plan) -> None:
    """Karpenter's objects against its own schemas."""
    for manifest in objects(plan, REFS):
        known = _schema(manifest["kind"])
        if known is not None:
            api_version, validator = known
            assert manifest["apiVersion"] == api_version
            validator.validate(json.loads(json.dumps(manifest["spec"])))


@cache
def _schema(kind: str) -> tuple[str, Any] | None:
    path = ROOT / "tests" / "data" / "crd_schemas" / f"{kind}.json"
    if not path.is_file():
        return None
    schema = json.loads(path.read_text())
    return schema["apiVersion"], jsonschema.Draft202012Validator(schema["spec"])


def _texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, f"{path}[{index}]")
