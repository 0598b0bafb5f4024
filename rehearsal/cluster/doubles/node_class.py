"""Karpenter's AWS side of an EC2NodeClass: it resolves images, subnets and security groups, then says Ready."""

from __future__ import annotations

import datetime
import threading
from typing import Any

from rehearsal.cluster.errors import ClusterError
from rehearsal.cluster.http_api import MERGE, Api, Object

PATH = "/apis/karpenter.k8s.aws/v1/ec2nodeclasses"
# The conditions that Karpenter 1.14's EC2NodeClass controller sets (pkg/apis/v1/ec2nodeclass_status.go).
CONDITIONS = (
    "AMIsReady",
    "CapacityReservationsReady",
    "InstanceProfileReady",
    "PlacementGroupReady",
    "SecurityGroupsReady",
    "SubnetsReady",
    "ValidationSucceeded",
    "Ready",
)


def start(api: Api) -> None:
    """Answer for every EC2NodeClass, in a thread that ends with the process."""
    threading.Thread(target=_watch, args=(api,), name="node-classes", daemon=True).start()


def _watch(api: Api) -> None:
    for kind, node_class in api.follow(PATH):
        if kind == "DELETED" or _is_ready(node_class):
            continue
        try:
            api.patch(f"{PATH}/{node_class['metadata']['name']}/status", _ready(node_class), content=MERGE)
        except ClusterError:
            # Changed or gone: the watch brings it again.
            continue


def _is_ready(node_class: Object) -> bool:
    generation = node_class["metadata"].get("generation")
    conditions = (node_class.get("status") or {}).get("conditions") or []
    return any(one["type"] == "Ready" and one.get("observedGeneration") == generation for one in conditions)


def _ready(node_class: Object) -> dict[str, Any]:
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "status": {
            "conditions": [
                {
                    "type": kind,
                    "status": "True",
                    "reason": kind,
                    "message": "",
                    "lastTransitionTime": now,
                    "observedGeneration": node_class["metadata"].get("generation"),
                }
                for kind in CONDITIONS
            ]
        }
    }
