"""Prometheus, Grafana, dashboards and alerts, and NVIDIA's exporter where no operator brings it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from gpu_slices.charts import Release

from .component import Component
from .helm import declare_release
from .objects import declare


@dataclass(frozen=True, kw_only=True)
class MonitoringArgs:
    """The namespace and what else is in it, the releases in their order, and what must be there before them."""

    objects: Sequence[Mapping[str, Any]]
    releases: Sequence[Release]
    after: Sequence[pulumi.Resource] = ()


class Monitoring(Component):
    """Namespace, then dashboards and releases."""

    def __init__(self, name: str, args: MonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        home, *dashboards = args.objects
        namespace = declare(f"{name}-namespace", home, self.child())
        for manifest in dashboards:
            declare(f"{name}-{manifest['metadata']['name']}", manifest, self.child(depends_on=[namespace]))
        for release in args.releases:
            options = self.child(depends_on=[namespace, *args.after])
            declare_release(f"{name}-{release.name}", release, options)
        self.register_outputs({})
