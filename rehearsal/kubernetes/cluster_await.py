"""What the provider waits for after it has applied an object: a Deployment until its pods are available."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from rehearsal.stand_in import Refused

SKIP, TIMEOUT = "pulumi.com/skipAwait", "pulumi.com/timeoutSeconds"
#: The provider's own default is ten minutes; pods that are played here start at once or never.
DEPLOYMENT_SECONDS = 180.0
_POLL_SECONDS = 0.2


def await_applied(stored: Mapping[str, Any], read: Callable[[], Mapping[str, Any] | None]) -> Mapping[str, Any]:
    """The object once it is up. Raises Refused in the provider's words when its time is over."""
    annotations = stored["metadata"].get("annotations") or {}
    if stored["kind"] != "Deployment" or annotations.get(SKIP) == "true":
        return stored
    seconds = float(annotations.get(TIMEOUT) or DEPLOYMENT_SECONDS)
    deadline = time.monotonic() + seconds
    found: Mapping[str, Any] = stored
    while not _is_available(found):
        if time.monotonic() > deadline:
            status = found.get("status") or {}
            there = f"{status.get('availableReplicas', 0)} of {found['spec'].get('replicas', 1)} pods are available"
            raise Refused(f"{stored['metadata']['name']} was not up after {seconds:g} s: {there}")
        time.sleep(_POLL_SECONDS)
        found = read() or found
    return found


def _is_available(deployment: Mapping[str, Any]) -> bool:
    status, wanted = deployment.get("status") or {}, deployment["spec"].get("replicas", 1)
    return (
        status.get("observedGeneration") == deployment["metadata"]["generation"]
        and status.get("updatedReplicas", 0) == wanted
        and status.get("availableReplicas", 0) == wanted
    )
