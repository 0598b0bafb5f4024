"""Storage classes of the cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from .component import Component
from .objects import declare


@dataclass(frozen=True, kw_only=True)
class StorageArgs:
    """The classes, and the drivers that serve them."""

    objects: Sequence[Mapping[str, Any]]
    after: Sequence[pulumi.Resource] = ()


class Storage(Component):
    """One StorageClass each."""

    def __init__(self, name: str, args: StorageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        for manifest in args.objects:
            declare(f"{name}-{manifest['metadata']['name']}", manifest, self.child(depends_on=list(args.after)))
        self.register_outputs({})
