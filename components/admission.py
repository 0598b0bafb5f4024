"""The rules for pods on GPU nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from .component import Component
from .objects import declare


@dataclass(frozen=True, kw_only=True)
class AdmissionArgs:
    """Policies and their bindings."""

    objects: Sequence[Mapping[str, Any]]


class Admission(Component):
    """ValidatingAdmissionPolicies: the API server itself enforces them."""

    def __init__(self, name: str, args: AdmissionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        for manifest in args.objects:
            kind = "policy" if manifest["kind"] == "ValidatingAdmissionPolicy" else "binding"
            declare(f"{name}-{kind}-{manifest['metadata']['name']}", manifest, self.child())
        self.register_outputs({})
