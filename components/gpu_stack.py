"""What runs on GPU nodes: the stand-alone device plugin or the GPU operator, behind one interface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi

from gpu_slices.charts import Release

from .component import Component
from .helm import declare_release
from .objects import declare


@dataclass(frozen=True, kw_only=True)
class GpuStackArgs:
    """The releases in their order, the objects that must be there before them, and what they run on."""

    objects: Sequence[Mapping[str, Any]]
    releases: Sequence[Release]
    after: Sequence[pulumi.Resource] = ()


class GpuStack(Component):
    """Namespace, config where the chart does not carry it, and the releases, one after the other."""

    releases: tuple[pulumi.CustomResource, ...]

    def __init__(self, name: str, args: GpuStackArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        objects: list[pulumi.CustomResource] = []
        for manifest in args.objects:
            # The name holds the config map's content hash: a new content is a new resource, created before the old goes.
            word = manifest["metadata"]["name"] if manifest["kind"] == "ConfigMap" else manifest["kind"].lower()
            objects.append(declare(f"{name}-{word}", manifest, self.child(depends_on=[*args.after, *objects])))
        made: list[pulumi.CustomResource] = []
        for release in args.releases:
            word = f"{name}-{release.name}" if made else f"{name}-release"
            made.append(declare_release(word, release, self.child(depends_on=[*args.after, *objects, *made])))
        self.releases = tuple(made)
        self.register_outputs({})


class DevicePlugin(GpuStack):
    """The stand-alone nvidia-device-plugin chart, which carries the named configs itself."""


class GpuOperator(GpuStack):
    """The GPU operator; the named configs lie in a config map of their own."""


#: `gpuStack` → the component that is it.
GPU_STACKS: Final[Mapping[str, type[GpuStack]]] = {"device-plugin": DevicePlugin, "gpu-operator": GpuOperator}
