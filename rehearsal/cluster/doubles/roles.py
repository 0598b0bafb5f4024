"""What each daemon does on its node: a table from role to action, each action a patch of the node."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from rehearsal.cluster.doubles import advertise
from rehearsal.cluster.doubles.daemons import (
    DEFAULT_CONFIG,
    FALLBACKS,
    MIG_STRATEGY,
    NODE_LABELS_ANNOTATION,
    ROLE_LABEL,
    Role,
)
from rehearsal.cluster.doubles.device_requests import requests
from rehearsal.cluster.doubles.kubelet import label
from rehearsal.cluster.doubles.partition import (
    LAYOUT_LABEL,
    LAYOUTS_KEY,
    STATE_LABEL,
    LayoutError,
    Partition,
    partition,
)
from rehearsal.cluster.doubles.plugin_config import (
    CONFIG_LABEL,
    EMPTY,
    PluginConfig,
    PluginError,
    choose,
    parse,
)
from rehearsal.cluster.facts import InstanceFacts
from rehearsal.cluster.http_api import MERGE, Api, Object

MIG_MANAGER_LABEL = "nvidia.com/gpu.deploy.mig-manager"
PCI_LABEL = "feature.node.kubernetes.io/pci-10de.present"
WHOLE = PluginConfig(strategy="none", mig_strategy="none", resources=())


@dataclass(frozen=True, kw_only=True)
class Machine:
    """One node as its daemons see it. `resources` is what a device plugin registered there before."""

    api: Api
    parser: Path
    node: Object
    instance_type: str
    facts: InstanceFacts
    resources: Mapping[str, int] = field(default_factory=dict)
    #: What the MIG manager made of the GPUs; whether the MPS daemon runs.
    partition: Partition = ()
    mps: bool = False

    @property
    def path(self) -> str:
        """The node's path in the API."""
        return f"/api/v1/nodes/{self.node['metadata']['name']}"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What an action did: the config it chose, the resources that the node shows after it, whether the plugin refuses
    requests for more than one of them. `devices` are the GPUs or, for `mig`, the MIG instances behind each resource; `partition`
    is there when the action re-partitioned them."""

    config: str = ""
    strategy: str = ""
    resources: Mapping[str, int] = field(default_factory=dict)
    devices: Mapping[str, int] = field(default_factory=dict)
    mig: bool = False
    one_at_a_time: bool = False
    partition: Partition | None = None


def act(pod: Object, machine: Machine) -> Outcome:
    """Do what the pod's container does when it starts, or raise PluginError when it would not start."""
    return ACTIONS[role_of(pod)](pod, machine)


def saw(pod: Object, machine: Machine) -> str:
    """What the role's container would be restarted for, or acts upon, when it changes on the node."""
    if role_of(pod) == "mig-manager":
        return label(machine.node, LAYOUT_LABEL)
    return f"{label(machine.node, CONFIG_LABEL)} {machine.partition}"


def role_of(pod: Object) -> Role:
    """Return the role that a daemon's pod plays."""
    role: Role = pod["metadata"]["labels"][ROLE_LABEL]
    return role


def withdraw(machine: Machine) -> None:
    """Do what kubelet does when a plugin has gone: its devices are unhealthy, none of them can be allocated."""
    _show(machine, {}, dict.fromkeys(machine.resources, 0))


def _device_plugin(pod: Object, machine: Machine) -> Outcome:
    name, config = _config(pod, machine)
    if not machine.facts.gpu:
        return Outcome(config=name)
    if config.strategy == "mps" and not machine.mps:
        raise PluginError(advertise.PLUGIN, "error waiting for MPS daemon: it is not running")
    registered = advertise.resources(config, machine.facts.gpu, machine.partition)
    # kubelet keeps a resource that it has known: at zero, until it is restarted.
    shown = {**dict.fromkeys(machine.resources, 0), **registered}
    _show(machine, shown, shown)
    return Outcome(
        config=name,
        strategy=config.strategy,
        resources=shown,
        devices=advertise.devices(config, machine.facts.gpu, machine.partition),
        mig=config.mig_strategy != "none" and any(machine.partition),
        one_at_a_time=config.one_at_a_time,
    )


def _gpu_feature_discovery(pod: Object, machine: Machine) -> Outcome:
    name, config = _config(pod, machine)
    if machine.facts.gpu:
        gpu, partition = machine.facts.gpu, machine.partition
        _label(machine, advertise.labels(config, gpu, instance_type=machine.instance_type, partition=partition))
    return Outcome(config=name, strategy=config.strategy)


def _mps_control_daemon(pod: Object, machine: Machine) -> Outcome:
    name, config = _config(pod, machine)
    if machine.facts.gpu:
        advertise.resources(config, machine.facts.gpu, machine.partition)
    return Outcome(config=name, strategy=config.strategy)


def _mig_manager(pod: Object, machine: Machine) -> Outcome:
    """cmd/nvidia-mig-manager: it stops the operator's own clients of the GPUs and nobody else's, so a GPU that a pod
    holds cannot be partitioned otherwise."""
    gpu, default = machine.facts.gpu, _environment(pod).get(DEFAULT_CONFIG, "")
    if gpu is None:
        return Outcome()
    layout = label(machine.node, LAYOUT_LABEL) or default
    try:
        wanted = partition(_mounted(pod, machine).get(LAYOUTS_KEY, ""), layout, gpu.count)
        if wanted != machine.partition and _held(machine):
            raise LayoutError("error destroying MIG instances: In use by another client")
    except LayoutError as error:
        _label(machine, {STATE_LABEL: "failed"})
        return Outcome(config=f"{layout}: {error}")
    _label(machine, {STATE_LABEL: "success"})
    return Outcome(config=layout, partition=wanted)


def _held(machine: Machine) -> bool:
    """Whether a pod that is not a daemon of ours holds devices of the node."""
    here = machine.api.get("/api/v1/pods", fieldSelector=f"spec.nodeName={machine.node['metadata']['name']}")["items"]
    return any(requests(one) and (one.get("status") or {}).get("phase") not in ("Succeeded", "Failed") for one in here)


def _node_feature_discovery(pod: Object, machine: Machine) -> Outcome:
    if machine.facts.gpu:
        further = json.loads((pod["metadata"].get("annotations") or {}).get(NODE_LABELS_ANNOTATION, "{}"))
        # The operator sends its MIG manager to GPUs that have MIG only (controllers/state_manager.go).
        capable = machine.facts.gpu.mig_capable
        found = {key: value for key, value in further.items() if capable or key != MIG_MANAGER_LABEL}
        _label(machine, {PCI_LABEL: "true", **found})
    return Outcome()


ACTIONS: dict[Role, Callable[[Object, Machine], Outcome]] = {
    "device-plugin": _device_plugin,
    "gpu-feature-discovery": _gpu_feature_discovery,
    "mig-manager": _mig_manager,
    "mps-control-daemon": _mps_control_daemon,
    "node-feature-discovery": _node_feature_discovery,
}


def _config(pod: Object, machine: Machine) -> tuple[str, PluginConfig]:
    """Return the name and content of the config that a pod of the plugin's release finds on this node."""
    data = _mounted(pod, machine)
    if not data:
        return "", WHOLE
    environment = _environment(pod)
    default, fallbacks = environment.get(DEFAULT_CONFIG, ""), environment.get(FALLBACKS, "named,single")
    chosen = choose(
        frozenset(data),
        label=label(machine.node, CONFIG_LABEL),
        default=default,
        fallbacks=tuple(fallbacks.split(",")),
    )
    config = WHOLE if chosen == EMPTY else parse(machine.parser, data[chosen])
    return chosen, replace(config, mig_strategy=environment.get(MIG_STRATEGY) or config.mig_strategy)


def _mounted(pod: Object, machine: Machine) -> Mapping[str, str]:
    """Return what is in the ConfigMap that a pod mounts, nothing where it mounts none."""
    names = [volume["configMap"]["name"] for volume in pod["spec"].get("volumes") or [] if "configMap" in volume]
    if not names:
        return {}
    namespace = pod["metadata"]["namespace"]
    found = machine.api.find(f"/api/v1/namespaces/{namespace}/configmaps/{names[0]}")
    if found is None:
        raise PluginError("volume", f'MountVolume.SetUp failed: configmap "{names[0]}" not found')
    return found.get("data") or {}


def _environment(pod: Object) -> dict[str, str]:
    return {one["name"]: one.get("value", "") for one in pod["spec"]["containers"][0].get("env") or []}


def _show(machine: Machine, capacity: Mapping[str, int], allocatable: Mapping[str, int]) -> None:
    status = {"capacity": _quantities(capacity), "allocatable": _quantities(allocatable)}
    machine.api.patch(f"{machine.path}/status", {"status": status})


def _label(machine: Machine, labels: Mapping[str, str]) -> None:
    machine.api.patch(machine.path, {"metadata": {"labels": dict(labels)}}, content=MERGE)


def _quantities(counts: Mapping[str, int]) -> dict[str, str]:
    return {name: str(count) for name, count in sorted(counts.items())}
