"""Container images by name, and the digests that a stack pins them to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .versions import DCGM_EXPORTER, DEVICE_PLUGIN, GPU_OPERATOR, KARPENTER, PYTHON_IMAGE, TGI_IMAGE, VLLM_IMAGE
from .workloads.catalogue import SAMPLES

Path = tuple[str, ...]

NO_DIGESTS: Final[Mapping[str, str]] = {}

_PLUGIN: Final = f"nvcr.io/nvidia/k8s-device-plugin:v{DEVICE_PLUGIN.version}"
KARPENTER_CONTROLLER: Final = f"public.ecr.aws/karpenter/controller:{KARPENTER.version}"
_EXPORTER: Final = "nvcr.io/nvidia/k8s/dcgm-exporter:4.5.3-4.8.2-distroless"
_OPERATORS_DCGM: Final = "nvcr.io/nvidia/k8s/dcgm-exporter:4.6.0-4.8.3-distroless"

#: Chart → image it runs → values that name the image's tag (the pinned versions' own values files). The operator's
#: values take a tag with a digest behind it as the other charts do: it only joins name and version with a colon.
_TAGS: Final[Mapping[str, Mapping[str, tuple[Path, ...]]]] = {
    DCGM_EXPORTER.chart: {_EXPORTER: (("image", "tag"),)},
    DEVICE_PLUGIN.chart: {_PLUGIN: (("image", "tag"),)},
    GPU_OPERATOR.chart: {
        _PLUGIN: (("devicePlugin", "version"), ("gfd", "version")),
        _OPERATORS_DCGM: (("dcgmExporter", "version"),),
    },
}
#: Charts that take a digest by itself. Karpenter's carries its own controller's already; this replaces it.
_DIGESTS: Final[Mapping[str, Mapping[str, tuple[Path, ...]]]] = {
    KARPENTER.chart: {KARPENTER_CONTROLLER: (("controller", "image", "digest"),)},
}


def known_images() -> tuple[str, ...]:
    """Every image that a digest can be given for, sorted."""
    charts = {image for table in (_TAGS, _DIGESTS) for images in table.values() for image in images}
    own = {VLLM_IMAGE, TGI_IMAGE, PYTHON_IMAGE, *(sample.image for sample in SAMPLES.values())}
    return tuple(sorted(charts | own))


def pinned(value: Any, digests: Mapping[str, str]) -> Any:
    """A manifest, or any part of one, with `@sha256:…` behind every image that has a digest."""
    if isinstance(value, Mapping):
        return {
            key: _image(inner, digests) if key == "image" else pinned(inner, digests) for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [pinned(inner, digests) for inner in value]
    return value


def _image(value: Any, digests: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return f"{value}@{digests[value]}" if value in digests else value
    return pinned(value, digests)


def pinned_values(chart: str, values: Mapping[str, Any], digests: Mapping[str, str]) -> dict[str, Any]:
    """A chart's values with the digests of its images."""
    found = dict(values)
    for image, paths in _TAGS.get(chart, {}).items():
        for path in paths if image in digests else ():
            found = _with(found, path, f"{image.rpartition(':')[2]}@{digests[image]}")
    for image, paths in _DIGESTS.get(chart, {}).items():
        for path in paths if image in digests else ():
            found = _with(found, path, digests[image])
    return found


def _with(values: Mapping[str, Any], path: Path, value: str) -> dict[str, Any]:
    first, *rest = path
    return {**values, first: _with(values.get(first) or {}, tuple(rest), value) if rest else value}
