"""What a Helm release would put on the cluster, as far as the doubles play it: ConfigMaps and daemons from its values.

The defaults are the charts' own (nvidia-device-plugin 0.20.0 values.yaml and templates, gpu-operator v26.7.0 values.yaml;
the node labels are those that the operator's controller sets, controllers/state_manager.go).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rehearsal.cluster.doubles.daemons import Daemon, Role, checksum
from rehearsal.cluster.errors import ClusterError

Values = Mapping[str, Any]

ON_NVIDIA_NODES: Values = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [
                {"matchExpressions": [{"key": key, "operator": "In", "values": [value]}]}
                for key, value in (
                    ("feature.node.kubernetes.io/pci-10de.present", "true"),
                    ("feature.node.kubernetes.io/cpu-model.vendor_id", "NVIDIA"),
                    ("nvidia.com/gpu.present", "true"),
                )
            ]
        }
    }
}
GPU_TOLERATION = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
#: GPU feature discovery's word on nodes whose config shares by MPS.
MPS_CAPABLE = {"nvidia.com/mps.capable": "true"}
OPERANDS = (
    "container-toolkit",
    "dcgm",
    "dcgm-exporter",
    "device-plugin",
    "driver",
    "gpu-feature-discovery",
    "mig-manager",
    "node-status-exporter",
    "operator-validator",
)
OPERATOR_LABELS = {
    "nvidia.com/gpu.present": "true",
    **{f"nvidia.com/gpu.deploy.{operand}": "true" for operand in OPERANDS},
}


# Karpenter's chart 1.14.1: value -> environment variable of its container (templates/deployment.yaml), where the
# rehearsal's Karpenter knows it.
KARPENTER_VARIABLES: dict[tuple[str, ...], str] = {
    ("logLevel",): "LOG_LEVEL",
    ("settings", "batchIdleDuration"): "BATCH_IDLE_DURATION",
    ("settings", "batchMaxDuration"): "BATCH_MAX_DURATION",
    ("settings", "minValuesPolicy"): "MIN_VALUES_POLICY",
    ("settings", "preferencePolicy"): "PREFERENCE_POLICY",
}
KARPENTER_GATES = {
    "capacityBuffer": False,
    "nodeOverlay": False,
    "nodeRepair": False,
    "reservedCapacity": True,
    "spotToSpotConsolidation": False,
    "staticCapacity": False,
}


@dataclass(frozen=True, kw_only=True)
class Installation:
    """The objects of one release."""

    config_maps: tuple[Values, ...] = ()
    daemons: tuple[Daemon, ...] = ()


def installation(chart: str, name: str, namespace: str, values: Values) -> Installation:
    """Return what release `name` of `chart` installs; ClusterError for a chart that has no double."""
    if chart not in CHARTS:
        raise ClusterError(f"release {name}: chart {chart} has no double; those that have: {', '.join(sorted(CHARTS))}")
    return CHARTS[chart](name, namespace, values)


def device_plugin(name: str, namespace: str, values: Values) -> Installation:
    """Chart nvidia-device-plugin: the config map, and daemons that a change of it rolls by their checksum."""
    full_name = _full_name(name, "nvidia-device-plugin")
    config = _at(values, "config", default={})
    data: Mapping[str, str] = config.get("map") or {}
    config_map = f"{full_name}-configs" if data else config.get("name") or ""
    features = bool(_at(values, "gfd", "enabled", default=False))
    # The subchart's condition is nfd.enabled, then gfd.enabled: the first that is set.
    nodes = bool(_at(values, "nfd", "enabled", default=features))

    def daemon(daemon_name: str, role: Role, selector: Mapping[str, str] | None = None) -> Daemon:
        return Daemon(
            name=daemon_name,
            namespace=namespace,
            role=role,
            config_map=config_map,
            default_config=config.get("default") or "",
            checksum=checksum(data) if data else "",
            mig_strategy=_at(values, "migStrategy", default="") or "",
            affinity=_at(values, "affinity", default=ON_NVIDIA_NODES),
            tolerations=tuple(
                _at(
                    values, "tolerations", default=[{"key": "CriticalAddonsOnly", "operator": "Exists"}, GPU_TOLERATION]
                )
            ),
            node_selector={**_at(values, "nodeSelector", default={}), **(selector or {})},
            update_strategy=_at(values, "updateStrategy", default={}),
            resources=_at(values, "resources", default={}),
        )

    gpu_features = (daemon(f"{full_name}-gpu-feature-discovery", "gpu-feature-discovery"),)
    node_features = (
        _node_feature_discovery(
            f"{name}-node-feature-discovery-worker",
            namespace,
            # Equal "present": a node tainted with another value gets no feature discovery from the chart's default.
            _at(
                values,
                *("nfd", "worker", "tolerations"),
                default=[{"key": "nvidia.com/gpu", "operator": "Equal", "value": "present", "effect": "NoSchedule"}],
            ),
            {},
        ),
    )
    return Installation(
        config_maps=(_config_map(config_map, namespace, data),) if data else (),
        daemons=(
            daemon(full_name, "device-plugin"),
            # Always there, and on nodes that feature discovery found to share by MPS only.
            daemon(f"{full_name}-mps-control-daemon", "mps-control-daemon", MPS_CAPABLE),
            *(gpu_features if features else ()),
            *(node_features if nodes else ()),
        ),
    )


def gpu_operator(name: str, namespace: str, values: Values) -> Installation:
    """Chart gpu-operator: daemons that only another config map name or default rolls, never an edit of its content."""
    config = _at(values, "devicePlugin", "config", default={})
    made = bool(config.get("create")) and bool(config.get("data"))
    strategy = _at(values, "daemonsets", "updateStrategy", default="RollingUpdate")
    unavailable = _at(values, "daemonsets", "rollingUpdate", "maxUnavailable", default="1")
    rolling = {"rollingUpdate": {"maxUnavailable": _count(unavailable)}} if strategy == "RollingUpdate" else {}

    def operand(daemon_name: str, role: Role, selector: Mapping[str, str] | None = None) -> Daemon:
        return Daemon(
            name=daemon_name,
            namespace=namespace,
            role=role,
            config_map=config.get("name") or "",
            default_config=config.get("default") or "",
            mig_strategy=_at(values, "mig", "strategy", default="single"),
            # controllers/object_controls.go sets it, whatever the values say.
            fallbacks="empty",
            tolerations=tuple(_at(values, "daemonsets", "tolerations", default=[GPU_TOLERATION])),
            node_selector=selector or {f"nvidia.com/gpu.deploy.{role}": "true"},
            update_strategy={"type": strategy, **rolling},
        )

    workers = _at(values, "node-feature-discovery", "worker", "tolerations", default=[GPU_TOLERATION])
    switched = {
        "devicePlugin": operand("nvidia-device-plugin-daemonset", "device-plugin"),
        "gfd": operand("gpu-feature-discovery", "gpu-feature-discovery"),
        "migManager": _mig_manager(values, operand("nvidia-mig-manager", "mig-manager")),
        "nfd": _node_feature_discovery(f"{name}-node-feature-discovery-worker", namespace, workers, OPERATOR_LABELS),
    }
    on = [one for switch, one in switched.items() if one and _at(values, switch, "enabled", default=True)]
    clients = {"nvidia.com/gpu.deploy.device-plugin": "true", **MPS_CAPABLE}
    mps = operand("nvidia-device-plugin-mps-control-daemon", "mps-control-daemon", clients)
    return Installation(
        config_maps=(_config_map(config["name"], namespace, config["data"]),) if made else (),
        daemons=(*on, *([mps] if switched["devicePlugin"] in on else [])),
    )


def _mig_manager(values: Values, daemon: Daemon) -> Daemon | None:
    """The MIG manager with layouts of the release's own; what it generates from the hardware otherwise has no double."""
    config = _at(values, "migManager", "config", default={})
    if not config.get("name"):
        return None
    return replace(daemon, config_map=config["name"], default_config=config.get("default") or "all-disabled")


def karpenter_environment(values: Values) -> dict[str, str]:
    """Return the environment that Karpenter's chart gives its container, for `Control.start_karpenter`."""
    gates = KARPENTER_GATES | dict(_at(values, "settings", "featureGates", default={}))
    switches = ",".join(f"{name[0].upper()}{name[1:]}={str(on).lower()}" for name, on in sorted(gates.items()))
    found = {variable: _at(values, *keys, default="") for keys, variable in KARPENTER_VARIABLES.items()}
    return {"FEATURE_GATES": switches, **{variable: str(value) for variable, value in found.items() if value}}


CHARTS: dict[str, Callable[[str, str, Values], Installation]] = {
    "gpu-operator": gpu_operator,
    "nvidia-device-plugin": device_plugin,
}


def _node_feature_discovery(name: str, namespace: str, tolerations: list[Values], labels: Mapping[str, str]) -> Daemon:
    return Daemon(
        name=name,
        namespace=namespace,
        role="node-feature-discovery",
        tolerations=tuple(tolerations),
        node_labels=labels,
    )


def _config_map(name: str, namespace: str, data: Mapping[str, str]) -> Values:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dict(data)}


def _full_name(release: str, chart: str) -> str:
    return (release if chart in release else f"{release}-{chart}")[:63].rstrip("-")


def _at(values: Values, *keys: str, default: Any) -> Any:
    """Return the value at a path of keys, or the chart's default where the release sets none (Helm: null unsets)."""
    found: Any = values
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return default if found is None else found


def _count(text: Any) -> int | str:
    return int(text) if str(text).isdigit() else str(text)
