"""Which programs make up the control plane, and how each is built from its pinned Go module."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BIN = REPOSITORY / ".bin"
TOOLS = Path(__file__).resolve().parent / "tools"
BUILD_COMMAND = "make control-plane"


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One Go module under `tools/`, with the programs that one `go build` of it makes.

    `module` is the module whose version is the pin, `packages` what to build (one program each, named by `programs`),
    `minutes` the time of a cold build measured on two cores, for the progress line.
    """

    name: str
    module: str
    packages: tuple[str, ...]
    programs: tuple[str, ...]
    minutes: float
    version_variable: str = ""

    @property
    def folder(self) -> Path:
        """The folder of go.mod and go.sum."""
        return TOOLS / self.name

    @property
    def version(self) -> str:
        """The pinned version, as go.mod says it."""
        return pinned_version(self.folder / "go.mod", self.module)


@dataclass(frozen=True, kw_only=True)
class Asset:
    """Files of a pinned module that running needs: copied to `.bin/<target>/` under their own names."""

    tool: str
    module: str
    pattern: str
    target: str


KUBERNETES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")

# Minutes: cold builds, one after the other, on two cores.
TOOLS_TABLE: tuple[Tool, ...] = (
    Tool(
        name="etcd",
        module="go.etcd.io/etcd/server/v3",
        packages=("go.etcd.io/etcd/server/v3",),
        programs=("etcd",),
        minutes=0.4,
    ),
    Tool(
        name="kubernetes",
        module="k8s.io/kubernetes",
        packages=tuple(f"k8s.io/kubernetes/cmd/{name}" for name in KUBERNETES),
        programs=KUBERNETES,
        minutes=6.3,
        version_variable="k8s.io/component-base/version.gitVersion",
    ),
    Tool(
        name="kwok",
        module="sigs.k8s.io/kwok",
        packages=("sigs.k8s.io/kwok/cmd/kwok",),
        programs=("kwok",),
        minutes=2.6,
    ),
    Tool(
        name="karpenter",
        module="sigs.k8s.io/karpenter",
        packages=(".",),
        programs=("karpenter",),
        minutes=1.5,
        version_variable="sigs.k8s.io/karpenter/pkg/operator.Version",
    ),
    Tool(
        name="nvidia",
        module="github.com/NVIDIA/k8s-device-plugin",
        packages=(".",),
        programs=("plugin-config",),
        minutes=0.2,
    ),
)

# The CRDs that Karpenter's AWS charts install, the node class of the kwok provider, and the stages that play pods.
ASSETS: tuple[Asset, ...] = (
    Asset(tool="aws", module="github.com/aws/karpenter-provider-aws", pattern="pkg/apis/crds/*.yaml", target="crds"),
    Asset(tool="karpenter", module="sigs.k8s.io/karpenter", pattern="kwok/apis/crds/*.yaml", target="crds"),
    Asset(tool="kwok", module="sigs.k8s.io/kwok", pattern="kustomize/stage/pod/fast/pod-*.yaml", target="stages"),
)


def pinned_version(go_mod: Path, module: str) -> str:
    """Return the version that `go_mod` requires of `module`, or raise LookupError."""
    found = re.search(rf"^(?:require)?\s+{re.escape(module)} (v\S+)", go_mod.read_text(), re.MULTILINE)
    if not found:
        raise LookupError(f"{go_mod} requires no {module}")
    return found.group(1)


def missing(bin_folder: Path = BIN) -> tuple[str, ...]:
    """Return what `BUILD_COMMAND` would have to provide before a control plane can start, sorted; empty when complete."""
    programs = [name for tool in TOOLS_TABLE for name in tool.programs if not (bin_folder / name).is_file()]
    folders = [asset.target for asset in ASSETS if not any((bin_folder / asset.target).glob("*.yaml"))]
    return tuple(sorted({*programs, *folders}))
