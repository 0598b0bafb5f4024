"""A managed node group: nodes that join by themselves, and leave again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rehearsal.cluster.doubles.kubelet import INSTANCE_TYPE_LABEL, joining_labels, node_info
from rehearsal.cluster.errors import ApiError, ClusterError
from rehearsal.cluster.facts import Facts
from rehearsal.cluster.http_api import Api, Object

GROUP_LABEL = "eks.amazonaws.com/nodegroup"


def join(
    api: Api,
    facts: Facts,
    *,
    group: str,
    instance_type: str,
    count: int,
    labels: Mapping[str, str],
    taints: Sequence[Mapping[str, str]],
) -> tuple[str, ...]:
    """Bring a group to `count` nodes by adding what is missing; return the names of the nodes added."""
    if instance_type not in facts:
        raise ClusterError(f"node group {group}: no facts for instance type {instance_type}")
    there = set(members(api, group))
    names = [f"{group}-{index}" for index in range(count)]
    wanted = [name for name in names if name not in there]
    zones = sorted({offering.zone for offering in facts[instance_type].offerings})
    for index, name in enumerate(wanted):
        zone = {"topology.kubernetes.io/zone": zones[index % len(zones)]} if zones else {}
        own = {
            INSTANCE_TYPE_LABEL: instance_type,
            GROUP_LABEL: group,
            "kubernetes.io/hostname": name,
            "kubernetes.io/arch": facts[instance_type].architecture,
            "kubernetes.io/os": "linux",
            **zone,
            **joining_labels(facts[instance_type]),
        }
        api.create("/api/v1/nodes", _node(name, {**own, **labels}, taints, node_info(facts[instance_type])))
    return tuple(wanted)


def members(api: Api, group: str) -> tuple[str, ...]:
    """Return the names of a group's nodes in the order they joined."""
    found = api.get("/api/v1/nodes", labelSelector=f"{GROUP_LABEL}={group}")["items"]
    return tuple(sorted((str(node["metadata"]["name"]) for node in found), key=lambda name: (len(name), name)))


def leave(api: Api, group: str, *, keep: int = 0) -> tuple[str, ...]:
    """Drain and remove a group's nodes but the first `keep`; return their names."""
    names = members(api, group)[keep:]
    for name in names:
        api.patch(f"/api/v1/nodes/{name}", {"spec": {"unschedulable": True}})
        _delete_pods(api, name)
        api.delete(f"/api/v1/nodes/{name}")
        # DaemonSets have brought theirs back meanwhile; the pod collector would find them only after half a minute.
        _delete_pods(api, name)
    return names


def _delete_pods(api: Api, node: str) -> None:
    for pod in api.get("/api/v1/pods", fieldSelector=f"spec.nodeName={node}")["items"]:
        _delete_pod(api, pod)


def _delete_pod(api: Api, pod: Object) -> None:
    meta = pod["metadata"]
    try:
        api.delete(f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}", gracePeriodSeconds="0")
    except ApiError as error:
        if error.status != 409:
            raise


def _node(
    name: str, labels: Mapping[str, str], taints: Sequence[Mapping[str, str]], info: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": dict(sorted(labels.items()))},
        "spec": {"providerID": f"rehearsal:///{name}", "taints": [dict(taint) for taint in taints]},
        "status": {"nodeInfo": dict(info)},
    }
