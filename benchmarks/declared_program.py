"""A program that only registers: the same resources as a recorded one, with the SDK's own classes and plain values.

What remains between it and the real program is what settings, plan, components and their outputs cost.
"""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws
import pulumi_eks
import pulumi_kubernetes

from rehearsal.answers import Declared
from rehearsal.recorder import Recording
from rehearsal.stand_in import parsed

_PACKAGES = {"aws": pulumi_aws, "eks": pulumi_eks, "kubernetes": pulumi_kubernetes}

Row = Mapping[str, Any]


def write_rows(recording: Recording, path: Path) -> int:
    """Writes what the program itself registered (children of packaged components left out); how many resources."""
    remote = {one.urn for one in recording.resources if one.remote}
    inside = {one.urn for one in recording.resources if _ancestors(one.urn, recording) & remote}
    rows = [
        {
            "urn": one.urn,
            "type": one.type,
            "name": one.name,
            "parent": one.parent,
            "provider": one.provider.rpartition("::")[0],
            "dependencies": sorted(set(one.dependencies) - inside),
            "custom": one.custom,
            "inputs": _inputs(one),
        }
        for one in recording.resources
        if one.urn not in inside
    ]
    path.write_text(json.dumps(rows))
    return len(rows)


def _inputs(one: Declared) -> dict[str, Any]:
    """A provider's nested settings arrive as JSON text, which its class would encode a second time."""
    if not one.type.startswith("pulumi:providers:"):
        return dict(one.inputs)
    return {**parsed(one.inputs), **({"kubeconfig": one.inputs["kubeconfig"]} if "kubeconfig" in one.inputs else {})}


def register_rows(path: Path) -> None:
    """Registers every row, parents, providers and dependencies first."""
    made: dict[str, pulumi.Resource] = {}
    for row in _ordered(json.loads(path.read_text())):
        providers = {"provider": made[row["provider"]]} if row["provider"] in made else {}
        options = pulumi.ResourceOptions(
            parent=made.get(row["parent"]),
            depends_on=[made[urn] for urn in row["dependencies"] if urn in made],
            **providers,  # type: ignore[arg-type]
        )
        made[row["urn"]] = _make(row, options)


def _make(row: Row, options: pulumi.ResourceOptions) -> pulumi.Resource:
    if row["type"].startswith("gpu-slices:"):
        component = pulumi.ComponentResource(row["type"], row["name"], None, options)
        component.register_outputs({})
        return component
    class_ = _class(row["type"])
    inputs = row["inputs"]
    if class_ is pulumi_kubernetes.apiextensions.CustomResource:
        return class_(
            row["name"],
            api_version=inputs["apiVersion"],
            kind=inputs["kind"],
            metadata=inputs["metadata"],
            spec=inputs["spec"],
            opts=options,
        )
    return class_(row["name"], opts=options, **_arguments(class_, inputs))


def _class(token: str) -> Any:
    """`aws:ec2/vpc:Vpc` → pulumi_aws.ec2.Vpc; a kind that the SDK does not know is a custom resource."""
    package, module, name = token.split(":")
    if package == "pulumi":
        return importlib.import_module(f"pulumi_{name}").Provider
    if package == "kubernetes":
        group, version = module.split("/")
        own = group.partition(".")[0]
        native = "." not in group or group == "helm.sh" or group.endswith(".k8s.io")
        if not native or not hasattr(pulumi_kubernetes, own):
            return pulumi_kubernetes.apiextensions.CustomResource
        found = getattr(getattr(pulumi_kubernetes, own), version, None)
        return getattr(found, name, pulumi_kubernetes.apiextensions.CustomResource)
    owner = _PACKAGES[package]
    return getattr(owner if module == "index" else getattr(owner, module.split("/")[0]), name)


def _arguments(class_: Any, inputs: Row) -> dict[str, Any]:
    """Inputs under the names that the class's constructor has for them."""
    known = {name.replace("_", "").lower(): name for name in inspect.signature(class_._internal_init).parameters}
    return {known[key.lower()]: value for key, value in inputs.items() if key.lower() in known}


def _ordered(rows: Sequence[Row]) -> Iterator[Row]:
    by_urn = {row["urn"]: row for row in rows}
    done: set[str] = set()

    def visit(row: Row) -> Iterator[Row]:
        if row["urn"] in done:
            return
        done.add(row["urn"])
        for urn in (row["parent"], row["provider"], *row["dependencies"]):
            if urn in by_urn:
                yield from visit(by_urn[urn])
        yield row

    for row in rows:
        yield from visit(row)


def _ancestors(urn: str, recording: Recording) -> frozenset[str]:
    found: set[str] = set()
    one = recording.by_urn.get(urn)
    while one is not None and one.parent:
        found.add(one.parent)
        one = recording.by_urn.get(one.parent)
    return frozenset(found)
