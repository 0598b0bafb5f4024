"""Pods that the rules for GPU nodes are held against, and the words of these rules."""

from __future__ import annotations

from typing import Any, Final

GPU, SHARED = "nvidia.com/gpu", "nvidia.com/gpu.shared"
#: Rule → what it says when it refuses.
RULES: Final = {
    "asks": "asks for no GPU",
    "tenants": "only pods in namespaces of tenants may ask for GPUs",
    "privileged": "a privileged container",
    "one": "more than one slice of a shared GPU",
}
TOLERATION: Final = {"key": GPU, "operator": "Exists", "effect": "NoSchedule"}
SAFE: Final = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def pod(
    where: str,
    limits: dict[str, int] | None = None,
    *,
    pool: str = "",
    security: dict[str, Any] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    """A pod that Pod Security would take anywhere, with these limits, in a namespace."""
    container = {
        "name": "main",
        "image": "x",
        "resources": {"limits": {name: str(count) for name, count in (limits or {}).items()}},
        "securityContext": security or SAFE,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": where},
        "spec": {
            "containers": [container],
            "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
            **({"nodeSelector": {"gpu-slices/pool": pool}} if pool else {}),
            **spec,
        },
    }
