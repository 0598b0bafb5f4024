"""What stands beside the GPU charts: their namespace and, under the operator, the maps of plugin configs and MIG layouts."""

from __future__ import annotations

import json
from typing import Any

from ..mig_layouts import mig_layouts
from ..naming import DEVICE_PLUGIN_NAMESPACE, GPU_OPERATOR_NAMESPACE, MANAGED_BY_LABELS, content_name
from ..plan import Plan
from .namespace import namespace


def gpu_stack_objects(plan: Plan) -> list[dict[str, Any]]:
    """The objects of the stack's `gpuStack`."""
    if plan.settings.gpu_stack == "gpu-operator":
        layouts = mig_layout_map(plan)
        return [operator_namespace(), plugin_config_map(plan), *([layouts] if layouts else [])]
    return [device_plugin_namespace()]


def device_plugin_namespace() -> dict[str, Any]:
    """The stand-alone chart's namespace: its pods mount host paths and hold SYS_ADMIN."""
    return namespace(DEVICE_PLUGIN_NAMESPACE, "privileged")


def operator_namespace() -> dict[str, Any]:
    """The operator's namespace: its operands are privileged."""
    return namespace(GPU_OPERATOR_NAMESPACE, "privileged")


def plugin_config_map(plan: Plan) -> dict[str, Any]:
    """The named configs under a name that follows their content.

    The operator does not watch the map's content; a new name reaches its ClusterPolicy and rolls plugin and GFD
    together (facts: gpu-operator object_controls.go, v26.7.0). The name is also a pod volume's: no dots.
    """
    configs = dict(plan.plugin_configs)
    return _operator_config_map(content_name("time-slicing", json.dumps(configs, sort_keys=True)), configs)


def mig_layout_map(plan: Plan) -> dict[str, Any] | None:
    """The MIG layouts under a name that follows their content; None where no pool has one.

    The key is what the operator demands of a custom map (gpu-operator v26.7.0, values.yaml, migManager.config).
    """
    layouts = mig_layouts(plan.settings, plan.pools)
    return None if layouts is None else _operator_config_map(content_name("mig", layouts), {"config.yaml": layouts})


def _operator_config_map(name: str, data: dict[str, str]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": GPU_OPERATOR_NAMESPACE, "labels": dict(MANAGED_BY_LABELS)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
