"""What a node shows for a config: device resources (device plugin) and labels (GPU feature discovery). Pure functions."""

from __future__ import annotations

from rehearsal.cluster.doubles.plugin_config import PluginConfig, PluginError, Replicated
from rehearsal.cluster.facts import GpuFacts

GPU = "nvidia.com/gpu"
# Clients of one MPS server: cmd/mps-control-daemon/mps/device.go, maxClients.
MPS_REPLICAS, MPS_REPLICAS_BEFORE_7_5 = 48, 16
# CUDA compute capability -> GPU family: internal/lm/resource.go, getArchFamily. A pair before its major number alone.
FAMILIES: dict[tuple[int, ...], str] = {
    (3,): "kepler",
    (5,): "maxwell",
    (6,): "pascal",
    (7,): "volta",
    (7, 5): "turing",
    (8,): "ampere",
    (8, 9): "ada-lovelace",
    (9,): "hopper",
    (10,): "blackwell",
    (12,): "blackwell",
}


def resources(config: PluginConfig, gpu: GpuFacts) -> dict[str, int]:
    """Return resource name -> count that the plugin registers, or raise PluginError where it would refuse to start."""
    _validate(config, gpu)
    entry = _entry(config)
    if entry is None:
        return {GPU: gpu.count}
    return {entry.rename or entry.name: gpu.count * entry.replicas}


def labels(config: PluginConfig, gpu: GpuFacts, *, instance_type: str) -> dict[str, str]:
    """Return the labels of GPU feature discovery (internal/lm): `replicas` is per GPU, `memory` of a whole one in MiB."""
    entry = _entry(config)
    shared = entry is not None
    renamed = entry is not None and bool(entry.rename)
    major, minor = _compute(gpu)
    found = {
        "gpu.count": str(gpu.count),
        "gpu.replicas": str(entry.replicas if entry else 1),
        "gpu.product": f"{gpu.product}-SHARED" if shared and not renamed else gpu.product,
        "gpu.memory": str(gpu.memory_mib),
        "gpu.family": family(major, minor),
        "gpu.compute.major": str(major),
        "gpu.compute.minor": str(minor),
        "gpu.machine": instance_type,
        "gpu.mode": "compute",
        "gpu.sharing-strategy": config.strategy if shared else "none",
        "mig.capable": str(gpu.mig_capable).lower(),
        "mps.capable": str(config.strategy == "mps").lower(),
        "vgpu.present": "false",
    }
    return {f"nvidia.com/{key}": value for key, value in sorted(found.items())}


def family(major: int, minor: int) -> str:
    """Return NVIDIA's name for the GPUs of a compute capability."""
    exact = max((key for key in FAMILIES if key[0] == major and key[1:] <= (minor,)), default=None)
    return FAMILIES[exact] if exact else "undefined"


def _entry(config: PluginConfig) -> Replicated | None:
    """Return the entry that replicates whole GPUs; where two do, the plugin keeps the larger set of device ids."""
    matching = [one for one in config.resources if one.name == GPU]
    return max(matching, key=lambda one: one.replicas, default=None)


def _validate(config: PluginConfig, gpu: GpuFacts) -> None:
    if config.strategy != "mps":
        return
    if config.mig_strategy == "mixed":
        raise PluginError("nvidia-device-plugin-ctr", "using --mig-strategy=mixed is not supported with MPS")
    limit = MPS_REPLICAS if _compute(gpu) >= (7, 5) else MPS_REPLICAS_BEFORE_7_5
    entry = _entry(config)
    if entry and entry.replicas > limit:
        message = f"invalid device maximum allowed replicas exceeded: {entry.replicas} > {limit}"
        raise PluginError("mps-control-daemon-ctr", message)


def _compute(gpu: GpuFacts) -> tuple[int, int]:
    major, minor = gpu.compute_capability.split(".")
    return int(major), int(minor)
