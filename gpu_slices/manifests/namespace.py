"""Namespaces with their Pod Security level."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from ..naming import MANAGED_BY_LABELS

PodSecurity = Literal["privileged", "baseline", "restricted"]


def namespace(name: str, level: PodSecurity, labels: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A namespace whose pods must meet the Pod Security `level`: enforced, warned about and audited alike."""
    security = {f"pod-security.kubernetes.io/{mode}": level for mode in ("audit", "enforce", "warn")}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": name,
            "labels": dict(sorted({**MANAGED_BY_LABELS, **security, **(labels or {})}.items())),
        },
    }
