"""The parts of a stack that must fit one another, by name, with their versions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from ..catalogue import Gpu

#: Part → version, or the word for it; None where it is not known. The names are those of breaks.json:
#: kubernetes, karpenter, a chart's name; image (its date), image-release, image-kubernetes (newest that it was read
#: for), node-kubernetes (minor in its name), driver (newest it carries), toolkit; gpu, gpu-oldest-driver,
#: gpu-newest-driver; image-key and types-key (where a stack says them).
Parts = Mapping[str, str | None]


@dataclass(frozen=True, kw_only=True)
class Newest:
    """The newest version of a part that is known, and from where."""

    version: str
    source: str


@dataclass(frozen=True, kw_only=True)
class ImageRelease:
    """What EKS's accelerated images carry from a release (YYYYMMDD) on."""

    first: str
    drivers: tuple[int, ...]
    toolkit: str | None
    newest_kubernetes: str


#: Digits of an image release's date, which ends its name.
_DATE: Final = 8


def stack_parts(*, kubernetes: str | None, charts: Mapping[str, str]) -> Parts:
    """What the whole stack has: None for an adopted cluster's Kubernetes; the charts that it installs, by name."""
    return {"kubernetes": kubernetes, **charts}


def image_parts(*, release: str | None, gpu: Gpu | None = None, image_key: str = "", types_key: str = "") -> Parts:
    """What a pool's nodes have: `release` is `1.35.2-20260714` or `al2023@v20260714`, None where EKS picks the newest.

    Nodes without a GPU run an image without driver and toolkit.
    """
    found = _carried(release)
    minor = ".".join(release.split(".")[:2]) if release and "@" not in release else None
    return {
        "image": release[-_DATE:] if release else None,
        "image-release": release,
        "image-kubernetes": found.newest_kubernetes if release else None,
        "node-kubernetes": minor,
        "driver": str(max(found.drivers)) if gpu else None,
        "toolkit": found.toolkit if gpu else None,
        "gpu": gpu.label if gpu else None,
        "gpu-oldest-driver": str(gpu.min_driver) if gpu and gpu.min_driver is not None else None,
        "gpu-newest-driver": str(gpu.max_driver) if gpu and gpu.max_driver is not None else None,
        "image-key": image_key,
        "types-key": types_key,
    }


def _carried(release: str | None) -> ImageRelease:
    """The last entry that is not newer than the release; without one, EKS's newest."""
    known = image_releases()
    return known[-1] if release is None else [one for one in known if one.first <= release[-_DATE:]][-1]


@cache
def image_releases() -> tuple[ImageRelease, ...]:
    """What images carry since when, oldest first; the first entry holds for everything before the second."""
    return tuple(
        ImageRelease(
            first=row["from"],
            drivers=tuple(row["drivers"]),
            toolkit=row["toolkit"],
            newest_kubernetes=row["newestKubernetes"],
        )
        for row in _read("images.json")["releases"]
    )


@cache
def newest() -> Mapping[str, Newest]:
    """Part → the newest version that is known."""
    return {name: Newest(**row) for name, row in sorted(_read("newest.json")["parts"].items())}


def newest_read() -> str:
    """The day on which the newest versions were looked up."""
    return _read("newest.json")["read"]


def _read(name: str) -> dict[str, Any]:
    return json.loads(files("gpu_slices.compatibility").joinpath(name).read_text(encoding="utf-8"))
