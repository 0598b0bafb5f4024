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
from rehearsal.cluster.doubles.kubelet import label
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

    @property
    def path(self) -> str:
        """The node's path in the API."""
        return f"/api/v1/nodes/{self.node['metadata']['name']}"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What an action did: the config it chose, the resources that the node shows after it, whether the plugin refuses
    requests for more than one of them."""

    config: str = ""
    strategy: str = ""
    resources: Mapping[str, int] = field(default_factory=dict)
    one_at_a_time: bool = False


def act(pod: Object, machine: Machine) -> Outcome:
    """Do what the pod's container does when it starts, or raise PluginError when it would not start."""
    return ACTIONS[role_of(pod)](pod, machine)


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
    registered = advertise.resources(config, machine.facts.gpu)
    # kubelet keeps a resource that it has known: at zero, until it is restarted.
    shown = {**dict.fromkeys(machine.resources, 0), **registered}
    _show(machine, shown, shown)
    return Outcome(config=name, strategy=config.strategy, resources=shown, one_at_a_time=config.one_at_a_time)


def _gpu_feature_discovery(pod: Object, machine: Machine) -> Outcome:
    name, config = _config(pod, machine)
    if machine.facts.gpu:
        _label(machine, advertise.labels(config, machine.facts.gpu, instance_type=machine.instance_type))
    return Outcome(config=name, strategy=config.strategy)


def _node_feature_discovery(pod: Object, machine: Machine) -> Outcome:
    if machine.facts.gpu:
        further = json.loads((pod["metadata"].get("annotations") or {}).get(NODE_LABELS_ANNOTATION, "{}"))
        _label(machine, {PCI_LABEL: "true", **further})
    return Outcome()


ACTIONS: dict[Role, Callable[[Object, Machine], Outcome]] = {
    "device-plugin": _device_plugin,
    "gpu-feature-discovery": _gpu_feature_discovery,
    "node-feature-discovery": _node_feature_discovery,
}


def _config(pod: Object, machine: Machine) -> tuple[str, PluginConfig]:
    """Return the name and content of the config that a pod of the plugin's release finds on this node."""
    names = [volume["configMap"]["name"] for volume in pod["spec"].get("volumes") or [] if "configMap" in volume]
    if not names:
        return "", WHOLE
    namespace = pod["metadata"]["namespace"]
    found = machine.api.find(f"/api/v1/namespaces/{namespace}/configmaps/{names[0]}")
    if found is None:
        raise PluginError("volume", f'MountVolume.SetUp failed: configmap "{names[0]}" not found')
    data: Mapping[str, str] = found.get("data") or {}
    environment = {one["name"]: one.get("value", "") for one in pod["spec"]["containers"][0].get("env") or []}
    default, fallbacks = environment.get(DEFAULT_CONFIG, ""), environment.get(FALLBACKS, "named,single")
    chosen = choose(
        frozenset(data),
        label=label(machine.node, CONFIG_LABEL),
        default=default,
        fallbacks=tuple(fallbacks.split(",")),
    )
    config = WHOLE if chosen == EMPTY else parse(machine.parser, data[chosen])
    return chosen, replace(config, mig_strategy=environment.get(MIG_STRATEGY) or config.mig_strategy)


def _show(machine: Machine, capacity: Mapping[str, int], allocatable: Mapping[str, int]) -> None:
    status = {"capacity": _quantities(capacity), "allocatable": _quantities(allocatable)}
    machine.api.patch(f"{machine.path}/status", {"status": status})


def _label(machine: Machine, labels: Mapping[str, str]) -> None:
    machine.api.patch(machine.path, {"metadata": {"labels": dict(labels)}}, content=MERGE)


def _quantities(counts: Mapping[str, int]) -> dict[str, str]:
    return {name: str(count) for name, count in sorted(counts.items())}
