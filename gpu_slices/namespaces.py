"""Namespaces that belong to the platform, and what admission policies let their pods do: the exemptions, all of them.

A policy names the exemptions that it grants (`manifests/admission.py`); nothing else is exempt from anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .naming import DEVICE_PLUGIN_NAMESPACE, GPU_OPERATOR_NAMESPACE, MONITORING_NAMESPACE

#: Namespace → whose it is. Their daemons run on GPU nodes without asking for a GPU, and some are privileged. AWS makes
#: the agents' namespaces, GuardDuty's by itself where it is on for the account.
PLATFORM_NAMESPACES: Final[Mapping[str, str]] = {
    "amazon-cloudwatch": "the CloudWatch agent's",
    "amazon-guardduty": "GuardDuty's agent's",
    DEVICE_PLUGIN_NAMESPACE: "the device plugin's",
    GPU_OPERATOR_NAMESPACE: "the GPU operator's",
    "kube-system": "Kubernetes' and EKS's own",
    MONITORING_NAMESPACE: "the monitoring's",
}
#: On namespaces that a tool of ours makes for a while: which tool. Their pods ask for GPUs, though no tenant's, and
#: `verify` asks for two slices to see them refused. Whoever may label namespaces may exempt them.
TOOL_LABEL: Final = "gpu-slices/tool"

#: Namespaces that no tenant can be called, beside the platform's and those that start with `kube-`.
_TAKEN: Final[Mapping[str, str]] = {
    "default": "where everybody's objects land that name no namespace",
}


def owner_of(namespace: str) -> str | None:
    """Whose a system namespace is, in words; None where a tenant may have the name."""
    if namespace in PLATFORM_NAMESPACES:
        return PLATFORM_NAMESPACES[namespace]
    if namespace.startswith("kube-"):
        return "Kubernetes' own"
    return _TAKEN.get(namespace)
