"""The Helm releases of a stack: chart, exact version, namespace and values, as plain data."""

from __future__ import annotations

from ..cloud_refs import CloudRefs
from ..manifests.gpu_stack import mig_layout_map, plugin_config_map
from ..plan import Plan
from . import dcgm_exporter, device_plugin, gpu_operator, karpenter, kube_prometheus_stack
from .release import Release

__all__ = ["Release", "gpu_stack_releases", "monitoring_releases", "releases"]


def releases(plan: Plan, refs: CloudRefs) -> list[Release]:
    """Every Helm release of the stack, in the order it is installed."""
    if not plan.karpenter:
        return [*gpu_stack_releases(plan), *monitoring_releases(plan)]
    settings = plan.settings
    controller = karpenter.releases(
        cluster_name=settings.cluster.name,
        queue_name=refs.interruption_queue,
        region=settings.region,
        settings=settings.karpenter,
        digests=settings.security.digests,
    )
    return [*gpu_stack_releases(plan), *controller, *monitoring_releases(plan)]


def gpu_stack_releases(plan: Plan) -> list[Release]:
    """What runs on GPU nodes: the operator, or the stand-alone plugin with another release of it for MPS pools."""
    if plan.settings.gpu_stack == "gpu-operator":
        layouts = mig_layout_map(plan)
        name = layouts["metadata"]["name"] if layouts else None
        return [gpu_operator.release(plan, plugin_config_map(plan)["metadata"]["name"], name)]
    return device_plugin.releases(plan)


def monitoring_releases(plan: Plan) -> list[Release]:
    """The charts of `monitoring`; the exporter's own only where no operator brings it."""
    settings = plan.settings
    if not settings.monitoring.enabled:
        return []
    exporter = [dcgm_exporter.release(plan)] if settings.gpu_stack == "device-plugin" else []
    return [kube_prometheus_stack.release(plan), *exporter]
