"""Installs the custom resource definitions that the charts of a real cluster would."""

from __future__ import annotations

from pathlib import Path

import yaml

from rehearsal.cluster.doubles.kubelet import condition
from rehearsal.cluster.http_api import Api

PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def install(api: Api, folder: Path) -> tuple[str, ...]:
    """Apply every CRD in `folder`; return their names."""
    definitions = [yaml.load(path.read_text(), Loader=_loader()) for path in sorted(folder.glob("*.yaml"))]
    for definition in definitions:
        api.apply(f"{PATH}/{definition['metadata']['name']}", definition)
    return tuple(str(definition["metadata"]["name"]) for definition in definitions)


def are_established(api: Api, names: tuple[str, ...]) -> bool:
    """Whether the API server serves all of them."""
    served = {crd["metadata"]["name"] for crd in api.get(PATH)["items"] if condition(crd, "Established") == "True"}
    return set(names) <= served


def _loader() -> type[yaml.SafeLoader]:
    # libyaml's loader where PyYAML has it: the CRDs are 6,000 lines.
    found: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return found
