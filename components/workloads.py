"""Sample workloads that use the slices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from .component import Component
from .objects import declare


@dataclass(frozen=True, kw_only=True)
class WorkloadsArgs:
    """Deployments, Jobs and their disruption budgets; what must be there before a pod can start."""

    objects: Sequence[Mapping[str, Any]]
    after: Sequence[pulumi.Resource] = ()


class Workloads(Component):
    """Declared, never awaited: whether the samples run is for checks to say."""

    def __init__(self, name: str, args: WorkloadsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        for manifest in args.objects:
            word = f"{manifest['metadata']['name']}-{manifest['kind'].lower()}"
            declare(f"{name}-{word}", manifest, self.child(depends_on=list(args.after)))
        self.register_outputs({})
