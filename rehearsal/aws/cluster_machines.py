"""Machines of managed node groups as nodes of the rehearsal's real API server, whose kubelets the supervisor plays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from rehearsal.aws.machines import Machines
from rehearsal.cluster.doubles.node_groups import GROUP_LABEL
from rehearsal.cluster.errors import ClusterError
from rehearsal.cluster.http_api import MERGE
from rehearsal.cluster.link import Link
from rehearsal.stand_in import Refused

_EFFECTS = {"NO_SCHEDULE": "NoSchedule", "NO_EXECUTE": "NoExecute", "PREFER_NO_SCHEDULE": "PreferNoSchedule"}


class ClusterMachines(Machines):
    """Nodes join and leave through one control plane."""

    def __init__(self, link: Link) -> None:
        self._api, self._control = link.api, link.control

    @override
    def bring(self, group: Mapping[str, Any]) -> None:
        name, desired = group["nodeGroupName"], int(group["scalingConfig"]["desiredSize"])
        labels = dict(group.get("labels") or {})
        try:
            self._control.remove_nodes(name, keep=desired)
            self._control.join_nodes(
                name,
                instance_type=group["instanceTypes"][0],
                count=desired,
                labels=labels,
                taints=[_taint(taint) for taint in group.get("taints") or []],
            )
            for node in self._api.get("/api/v1/nodes", labelSelector=f"{GROUP_LABEL}={name}")["items"]:
                shown = node["metadata"]["labels"]
                if any(shown.get(key) != value for key, value in labels.items()):
                    path = f"/api/v1/nodes/{node['metadata']['name']}"
                    self._api.patch(path, {"metadata": {"labels": labels}}, content=MERGE)
        except ClusterError as error:
            raise Refused(f"NodeCreationFailure: {error}") from None

    @override
    def remove(self, group: Mapping[str, Any]) -> None:
        try:
            self._control.remove_nodes(group["nodeGroupName"])
        except ClusterError as error:
            raise Refused(f"Ec2InstanceTerminationFailure: {error}") from None


def _taint(taint: Mapping[str, str]) -> dict[str, str]:
    return {"key": taint["key"], "value": taint.get("value") or "", "effect": _EFFECTS[taint["effect"]]}
