"""Status patches of daemon pods, as a kubelet would report their containers."""

from __future__ import annotations

from typing import Any

from rehearsal.cluster.doubles.plugin_config import PluginError
from rehearsal.cluster.http_api import Object


def running(pod: Object, *, now: str, restarts: int) -> dict[str, Any]:
    """Return the status of a pod whose container has started."""
    return _status(pod, ready=True, phase="Running", now=now, restarts=restarts, state={"running": {"startedAt": now}})


def crashing(pod: Object, error: PluginError, *, now: str, restarts: int) -> dict[str, Any]:
    """Return the status of a pod whose container ended with `error` and will be started again."""
    waiting = {"reason": "CrashLoopBackOff", "message": f"{error.container}: {error}"}
    return _status(pod, ready=False, phase="Pending", now=now, restarts=restarts, state={"waiting": waiting})


def _status(
    pod: Object, *, ready: bool, phase: str, now: str, restarts: int, state: dict[str, object]
) -> dict[str, Any]:
    container = pod["spec"]["containers"][0]
    kinds = ("Initialized", "Ready", "ContainersReady")
    conditions = [{"type": kind, "status": str(ready), "lastTransitionTime": now} for kind in kinds]
    return {
        "status": {
            "phase": phase,
            "startTime": now,
            "conditions": conditions,
            "containerStatuses": [
                {
                    "name": container["name"],
                    "image": container["image"],
                    "imageID": "",
                    "ready": ready,
                    "started": ready,
                    "restartCount": restarts,
                    "state": state,
                }
            ],
        }
    }
