"""What Pod Security `restricted`, the level of tenants' namespaces, asks of a pod and of each container."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

#: Any user but root will do; images that name none run as this one.
POD_SECURITY: Final[Mapping[str, Any]] = {
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "runAsGroup": 1000,
    "fsGroup": 1000,
    "seccompProfile": {"type": "RuntimeDefault"},
}
CONTAINER_SECURITY: Final[Mapping[str, Any]] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
}


def pod_security(user: int | None) -> dict[str, Any]:
    """The same for a pod that must run as `user`; None: any."""
    return deepcopy({**POD_SECURITY, **({} if user is None else {"runAsUser": user})})
