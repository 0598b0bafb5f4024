"""What a node shows for a config: device resources (device plugin) and labels (GPU feature discovery). Pure functions."""

from __future__ import annotations

from rehearsal.cluster.doubles.partition import Partition, instances
from rehearsal.cluster.doubles.plugin_config import PluginConfig, PluginError, Replicated
from rehearsal.cluster.facts import GpuFacts

GPU = "nvidia.com/gpu"
PLUGIN = "nvidia-device-plugin-ctr"
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


def resources(config: PluginConfig, gpu: GpuFacts, partition: Partition = ()) -> dict[str, int]:
    """Return resource name -> count that the plugin registers, or raise PluginError where it would refuse to start."""
    _validate(config, gpu, partition)
    found: dict[str, int] = {}
    for name, count in _devices(config, gpu, partition).items():
        entry = _entry(config, name)
        found[entry.rename or name if entry else name] = count * (entry.replicas if entry else 1)
    return found


def devices(config: PluginConfig, gpu: GpuFacts, partition: Partition = ()) -> dict[str, int]:
    """Return resource name as registered -> GPUs or MIG instances behind it."""
    found = _devices(config, gpu, partition)
    return {(entry.rename or name if (entry := _entry(config, name)) else name): n for name, n in found.items()}


def labels(config: PluginConfig, gpu: GpuFacts, *, instance_type: str, partition: Partition = ()) -> dict[str, str]:
    """Return the labels of GPU feature discovery (internal/lm): `replicas` is per GPU, `memory` of a whole one in MiB."""
    major, minor = _compute(gpu)
    found = {
        **_resource_labels(config, GPU, gpu.product, gpu.count),
        "gpu.memory": str(gpu.memory_mib),
        "gpu.family": family(major, minor),
        "gpu.compute.major": str(major),
        "gpu.compute.minor": str(minor),
        "gpu.machine": instance_type,
        "gpu.mode": "compute",
        "gpu.sharing-strategy": config.strategy if config.resources else "none",
        "mig.capable": str(gpu.mig_capable).lower(),
        "mps.capable": str(config.strategy == "mps").lower(),
        "vgpu.present": "false",
        **_mig_labels(config, gpu, partition),
    }
    return {f"nvidia.com/{key}": value for key, value in sorted(found.items())}


def _mig_labels(config: PluginConfig, gpu: GpuFacts, partition: Partition) -> dict[str, str]:
    """internal/lm/mig-strategy.go: instances have labels of their own, under strategy single those of the GPU."""
    if config.mig_strategy == "none":
        return {}
    found = {"mig.strategy": config.mig_strategy}
    if any(partition) and all(partition):
        found["gpu.replicas"] = "0"
    for profile, count in instances(partition).items():
        name = GPU if config.mig_strategy == "single" else mig_resource(profile)
        found |= _resource_labels(config, name, f"{gpu.product}-MIG-{profile}", count)
    return found


def _resource_labels(config: PluginConfig, name: str, product: str, count: int) -> dict[str, str]:
    entry = _entry(config, name)
    word = name.removeprefix("nvidia.com/")
    return {
        f"{word}.count": str(count),
        f"{word}.replicas": str(entry.replicas if entry else 1),
        f"{word}.product": f"{product}-SHARED" if entry and not entry.rename else product,
    }


def mig_resource(profile: str) -> str:
    """Return the resource of a MIG profile: internal/rm/rm.go."""
    return f"nvidia.com/mig-{profile.replace('+', '.')}"


def family(major: int, minor: int) -> str:
    """Return NVIDIA's name for the GPUs of a compute capability."""
    exact = max((key for key in FAMILIES if key[0] == major and key[1:] <= (minor,)), default=None)
    return FAMILIES[exact] if exact else "undefined"


def _devices(config: PluginConfig, gpu: GpuFacts, partition: Partition) -> dict[str, int]:
    """Resource name -> GPUs or instances, before sharing (internal/rm/device_map.go)."""
    if config.mig_strategy == "none" or not any(partition):
        return {GPU: gpu.count}
    whole, found = sum(not one for one in partition), instances(partition)
    if config.mig_strategy == "single":
        return {GPU: sum(found.values())}
    return {**({GPU: whole} if whole else {}), **{mig_resource(name): count for name, count in found.items()}}


def _entry(config: PluginConfig, name: str) -> Replicated | None:
    """Return the entry that replicates a resource; where two do, the plugin keeps the larger set of device ids."""
    matching = [one for one in config.resources if one.name == name]
    return max(matching, key=lambda one: one.replicas, default=None)


def _validate(config: PluginConfig, gpu: GpuFacts, partition: Partition) -> None:
    if config.mig_strategy == "single" and any(partition):
        if not all(partition):
            raise PluginError(PLUGIN, "all devices on the node must be configured with the same migEnabled value")
        if len(instances(partition)) > 1:
            raise PluginError(PLUGIN, "more than one MIG device type present on node")
    if config.strategy != "mps":
        return
    if config.mig_strategy == "mixed":
        raise PluginError(PLUGIN, "using --mig-strategy=mixed is not supported with MPS")
    if config.mig_strategy == "single" and any(partition):
        raise PluginError(PLUGIN, "sharing using MPS is not supported for MIG devices")
    limit = MPS_REPLICAS if _compute(gpu) >= (7, 5) else MPS_REPLICAS_BEFORE_7_5
    entry = _entry(config, GPU)
    if entry and entry.replicas > limit:
        message = f"invalid device maximum allowed replicas exceeded: {entry.replicas} > {limit}"
        raise PluginError("mps-control-daemon-ctr", message)


def _compute(gpu: GpuFacts) -> tuple[int, int]:
    major, minor = gpu.compute_capability.split(".")
    return int(major), int(minor)
