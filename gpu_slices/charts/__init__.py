"""The Helm releases of a stack: chart, exact version, namespace and values, as plain data."""

from __future__ import annotations

from ..manifests.gpu_stack import plugin_config_map
from ..plan import Plan
from . import device_plugin, gpu_operator
from .release import Release

__all__ = ["Release", "releases"]


def releases(plan: Plan) -> list[Release]:
    """Every Helm release of the stack, in the order it is installed."""
    if plan.settings.gpu_stack == "gpu-operator":
        return [gpu_operator.release(plan, plugin_config_map(plan)["metadata"]["name"])]
    return [device_plugin.release(plan)]
